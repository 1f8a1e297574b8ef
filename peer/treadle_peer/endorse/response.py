"""From a chaincode's response to the peer's (fabric-wire.md §4.3 to §4.5); pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from fabric_protos.peer.chaincode_event_pb2 import ChaincodeEvent
from fabric_protos.peer.proposal_response_pb2 import (
    ChaincodeInterest,
    Endorsement,
    ProposalResponse,
    Response,
)
from treadle_fabric.wire import build_proposal_response_payload, serialize

ERROR_THRESHOLD = 400
ERROR = 500
ENDORSED_VERSION = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Simulated:
    """What a simulation gave. ``results`` are a marshalled TxReadWriteSet, empty without a ledger;
    ``interest`` is ``None`` then, too."""

    response: Response
    event: ChaincodeEvent | None
    results: bytes
    interest: ChaincodeInterest | None


def compose(
    simulated: Simulated,
    *,
    proposal_hash: bytes,
    channel_id: str,
    chaincode_name: str,
    chaincode_version: str,
    endorse: Callable[[bytes], Endorsement],
) -> ProposalResponse:
    """The answer by the response matrix of §4.4; *endorse* is called only where it endorses."""
    response = simulated.response
    if ERROR_THRESHOLD <= response.status < ERROR or (
        not channel_id and response.status < ERROR_THRESHOLD
    ):
        return ProposalResponse(response=response)
    succeeded = response.status < ERROR_THRESHOLD
    event = simulated.event if succeeded else None
    payload = build_proposal_response_payload(
        proposal_hash=proposal_hash,
        response=response,
        results=simulated.results,
        events=serialize(event) if event is not None else b"",
        chaincode_name=chaincode_name,
        chaincode_version=chaincode_version,
    )
    answer = ProposalResponse(response=response, payload=payload, interest=simulated.interest)
    if succeeded:
        answer.version = ENDORSED_VERSION
        answer.endorsement.CopyFrom(endorse(payload))
    return answer


def failure(text: str) -> ProposalResponse:
    """The answer to a proposal whose execution failed: no payload, no endorsement."""
    return ProposalResponse(response=Response(status=ERROR, message=text))
