"""Endorsing proposals and assembling transactions from the responses (fabric-wire.md §4.5, §5.1).

Called by the endorser (payload and endorsement) and by clients and the gateway (assembling).
"""

from __future__ import annotations

import base64
from collections.abc import Sequence

from fabric_protos.common.common_pb2 import Header, Payload
from fabric_protos.peer.chaincode_pb2 import ChaincodeID
from fabric_protos.peer.proposal_pb2 import ChaincodeAction, Proposal
from fabric_protos.peer.proposal_response_pb2 import (
    Endorsement,
    ProposalResponse,
    ProposalResponsePayload,
    Response,
)
from fabric_protos.peer.transaction_pb2 import (
    ChaincodeActionPayload,
    ChaincodeEndorsedAction,
    Transaction,
    TransactionAction,
)

from treadle_fabric.wire.envelopes import SignerLike
from treadle_fabric.wire.messages import WireError, parse, serialize
from treadle_fabric.wire.missing import length_delimited_start
from treadle_fabric.wire.proposals import payload_for_transaction


def build_proposal_response_payload(
    *,
    proposal_hash: bytes,
    response: Response,
    results: bytes,
    events: bytes,
    chaincode_name: str,
    chaincode_version: str,
) -> bytes:
    """The bytes every endorser of a proposal must produce alike (§4.5, trap 38).

    *results* is a marshalled TxReadWriteSet and *events* a marshalled ChaincodeEvent; both may
    be empty.
    """
    action = ChaincodeAction(
        events=events,
        response=response,
        chaincode_id=ChaincodeID(name=chaincode_name, version=chaincode_version),
    )
    # The results come first; framed by hand they are copied once and not five times.
    first = ChaincodeAction.RESULTS_FIELD_NUMBER
    extension = [length_delimited_start(first, len(results)), results] if results else []
    extension.append(serialize(action))
    size = sum(map(len, extension))
    start = length_delimited_start(ProposalResponsePayload.EXTENSION_FIELD_NUMBER, size)
    head = serialize(ProposalResponsePayload(proposal_hash=proposal_hash))
    return b"".join((head, start, *extension))


def sign_endorsement(signer: SignerLike, payload: bytes) -> Endorsement:
    """The endorsement of proposal response *payload*: a signature over payload || identity."""
    endorser = signer.serialize()
    return Endorsement(endorser=endorser, signature=signer.sign(payload + endorser))


def assemble_transaction(*, proposal: bytes, responses: Sequence[ProposalResponse]) -> bytes:
    """The Payload bytes of a transaction, to be signed by the proposal's creator.

    *proposal* are the marshalled Proposal bytes as sent. Raises WireError when a response is
    unsuccessful, when the responses differ, or when nobody endorsed.
    """
    payload = _agreed_payload(responses)
    parsed = parse(Proposal, proposal)
    header = parse(Header, parsed.header)
    endorsed = ChaincodeEndorsedAction(
        proposal_response_payload=payload, endorsements=_distinct_endorsements(responses)
    )
    action = ChaincodeActionPayload(
        chaincode_proposal_payload=payload_for_transaction(parsed.payload), action=endorsed
    )
    transaction = Transaction(
        actions=[TransactionAction(header=header.signature_header, payload=serialize(action))]
    )
    return serialize(Payload(header=header, data=serialize(transaction)))


def _agreed_payload(responses: Sequence[ProposalResponse]) -> bytes:
    if not responses:
        raise WireError("at least one proposal response is required")
    expected = responses[0].payload
    for answer in responses:
        if not 200 <= answer.response.status < 400:
            raise WireError(
                "proposal response was not successful, "
                f"error code {answer.response.status}, msg {answer.response.message}"
            )
        if answer.payload != expected:
            ours, theirs = (base64.b64encode(p).decode() for p in (answer.payload, expected))
            raise WireError(
                f"ProposalResponsePayloads do not match (base64): '{ours}' vs '{theirs}'"
            )
    return expected


def _distinct_endorsements(responses: Sequence[ProposalResponse]) -> list[Endorsement]:
    distinct: dict[bytes, Endorsement] = {}
    for answer in responses:
        if answer.HasField("endorsement"):
            distinct.setdefault(answer.endorsement.endorser, answer.endorsement)
    if not distinct:
        raise WireError("no endorsements")
    return list(distinct.values())
