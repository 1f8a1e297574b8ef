"""Errors read as in Fabric's command line."""

from __future__ import annotations

from fabric_protos.peer.proposal_response_pb2 import ProposalResponse, Response
from treadle_fabric.client import (
    BroadcastRefused,
    CallFailed,
    DeliverRefused,
    EndorsementFailed,
    NotCommitted,
    status_name,
    validation_code_name,
)


def test_grpc_codes_are_spelt_as_in_go() -> None:
    assert str(CallFailed("INVALID_ARGUMENT", "x")) == "rpc error: code = InvalidArgument desc = x"
    assert str(CallFailed("CANCELLED", "x")) == "rpc error: code = Canceled desc = x"


def test_statuses_carry_their_names() -> None:
    assert str(BroadcastRefused(403, "no")) == "got unexpected status: FORBIDDEN -- no"
    assert str(DeliverRefused(404)) == "deliver completed with status (NOT_FOUND)"
    assert str(NotCommitted("tx", 11)) == (
        "transaction invalidated with status (MVCC_READ_CONFLICT)"
    )


def test_unknown_numbers_are_shown_as_digits() -> None:
    assert status_name(999) == "999"
    assert validation_code_name(77) == "77"


def test_a_refused_endorsement_keeps_the_whole_response() -> None:
    response = ProposalResponse(response=Response(status=404, message="not here"))
    error = EndorsementFailed("peer0:7051", response)
    assert error.response is response
    assert "404" in str(error)
    assert "not here" in str(error)
