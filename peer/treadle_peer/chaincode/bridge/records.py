"""What the bridge can tell about a transaction that passed through it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from fabric_protos.peer.chaincode_pb2 import ChaincodeInput
from fabric_protos.peer.chaincode_shim_pb2 import ChaincodeMessage
from fabric_protos.peer.proposal_response_pb2 import Response
from google.protobuf.message import DecodeError


@dataclass(frozen=True, slots=True, kw_only=True)
class TransactionRecord:
    """One finished transaction.

    ``function`` is the first argument as text; ``requests`` counts the chaincode's requests by
    type name; ``status`` is the chaincode's own, ``None`` when it sent ERROR; ``delivered`` is
    false when the peer was lost before it could hear the answer.
    """

    channel_id: str
    tx_id: str
    function: str
    init: bool
    seconds: float
    requests: Mapping[str, int]
    status: int | None
    message: str
    delivered: bool


def function_of(start: ChaincodeMessage) -> str:
    """The called function, empty when there is none."""
    try:
        args = ChaincodeInput.FromString(start.payload).args
    except DecodeError:
        return ""
    return args[0].decode(errors="replace") if args else ""


def status_of(final: ChaincodeMessage) -> tuple[int | None, str]:
    """Status and message of a COMPLETED or ERROR."""
    if final.type == ChaincodeMessage.COMPLETED:
        try:
            response = Response.FromString(final.payload)
        except DecodeError:
            return None, "unreadable response"
        return response.status, response.message
    return None, final.payload.decode(errors="replace")
