"""Replies to a chaincode's requests (fabric-wire.md §1.4)."""

from __future__ import annotations

from typing import TypeVar

from fabric_protos.peer.chaincode_shim_pb2 import ChaincodeMessage
from google.protobuf.message import DecodeError, Message
from treadle_fabric.wire import why_unreadable

M = TypeVar("M", bound=Message)

_LAST_KNOWN = ChaincodeMessage.PURGE_PRIVATE_DATA


class RequestFailed(Exception):
    """A request cannot be served; the text is the cause that follows ``transaction ID: ..: ``."""


def response(request: ChaincodeMessage, payload: bytes) -> ChaincodeMessage:
    """RESPONSE to *request*; txid and channel id are echoed exactly, also when empty."""
    return ChaincodeMessage(
        type=ChaincodeMessage.RESPONSE,
        payload=payload,
        txid=request.txid,
        channel_id=request.channel_id,
    )


def error(request: ChaincodeMessage, cause: str) -> ChaincodeMessage:
    """ERROR to *request*; the payload is plain text."""
    text = f"{type_name(request.type)} failed: transaction ID: {request.txid}: {cause}"
    return ChaincodeMessage(
        type=ChaincodeMessage.ERROR,
        payload=text.encode(),
        txid=request.txid,
        channel_id=request.channel_id,
    )


def type_name(number: int) -> str:
    """``GET_STATE``; a number that Fabric 2.5 does not define stays a number."""
    value = ChaincodeMessage.Type.DESCRIPTOR.values_by_number.get(number)
    return str(number) if value is None or number > _LAST_KNOWN else value.name


def parse(kind: type[M], payload: bytes) -> M:
    """Decode a request's payload; raises RequestFailed with the text of Go's protobuf."""
    message = kind()
    try:
        message.ParseFromString(payload)
    except DecodeError:
        raise RequestFailed(f"unmarshal failed: {why_unreadable(kind, payload)}") from None
    return message
