"""The response matrix, for every status a chaincode may choose (fabric-wire.md §4.4)."""

from __future__ import annotations

from fabric_protos.peer.chaincode_event_pb2 import ChaincodeEvent
from fabric_protos.peer.proposal_pb2 import ChaincodeAction
from fabric_protos.peer.proposal_response_pb2 import (
    ChaincodeInterest,
    Endorsement,
    ProposalResponse,
    ProposalResponsePayload,
    Response,
)
from hypothesis import given
from hypothesis import strategies as st
from treadle_peer.endorse.response import Simulated, compose

STATUSES = st.one_of(
    st.integers(-(2**31), 2**31 - 1), st.sampled_from([0, 199, 200, 399, 400, 499, 500, 600])
)


def composed(status: int, channel_id: str, payload: bytes, results: bytes) -> ProposalResponse:
    return compose(
        Simulated(
            response=Response(status=status, message="m", payload=payload),
            event=ChaincodeEvent(chaincode_id="cc", event_name="e"),
            results=results,
            interest=ChaincodeInterest() if channel_id else None,
        ),
        proposal_hash=b"hash",
        channel_id=channel_id,
        chaincode_name="cc",
        chaincode_version="1",
        endorse=lambda signed: Endorsement(endorser=b"peer", signature=b"over " + signed),
    )


@given(STATUSES, st.sampled_from(["", "ch"]), st.binary(), st.binary())
def test_payload_endorsement_and_version_follow_status_and_channel(
    status: int, channel_id: str, payload: bytes, results: bytes
) -> None:
    answer = composed(status, channel_id, payload, results)
    endorsed = status < 400 and channel_id != ""
    assert answer.response == Response(status=status, message="m", payload=payload)
    assert answer.HasField("endorsement") is endorsed
    assert answer.version == (1 if endorsed else 0)
    assert bool(answer.payload) is (endorsed or status >= 500)
    if not answer.payload:
        assert not answer.HasField("interest")
        return
    signed = ProposalResponsePayload.FromString(answer.payload)
    action = ChaincodeAction.FromString(signed.extension)
    assert signed.proposal_hash == b"hash"
    assert (action.chaincode_id.name, action.chaincode_id.version) == ("cc", "1")
    assert (action.results, action.response) == (results, answer.response)
    assert bool(action.events) is endorsed
    assert answer.HasField("interest") is bool(channel_id)
    if endorsed:
        assert answer.endorsement.signature == b"over " + answer.payload
