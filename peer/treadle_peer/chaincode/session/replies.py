"""Replies to a chaincode's requests (fabric-wire.md §1.4)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from fabric_protos.peer.chaincode_shim_pb2 import ChaincodeMessage
from google.protobuf.message import DecodeError, Message

M = TypeVar("M", bound=Message)


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
    """``GET_STATE``; a number that Fabric does not define stays a number."""
    value = ChaincodeMessage.Type.DESCRIPTOR.values_by_number.get(number)
    return str(number) if value is None else value.name


def parse(kind: Callable[[], M], payload: bytes) -> M:
    """Decode a request's payload; raises RequestFailed with the text of Go's protobuf."""
    message = kind()
    try:
        message.ParseFromString(payload)
    except DecodeError:
        raise RequestFailed(
            "unmarshal failed: proto: cannot parse invalid wire-format data"
        ) from None
    return message
