"""Parsing and serialising Fabric messages with Fabric's error texts.

Every other module of the library parses through here, so that an unreadable message is one kind
of error with one kind of text (fabric-wire.md §4.2 row 1).
"""

from __future__ import annotations

from typing import TypeVar

from google.protobuf.message import DecodeError, Message

_M = TypeVar("_M", bound=Message)

Octets = bytes | memoryview
"""Marshalled bytes, or a view into larger ones."""

_UNREADABLE = "proto: cannot parse invalid wire-format data"


class WireError(Exception):
    """Bytes that are not the message they should be, or a message that lacks a part."""


def parse(kind: type[_M], data: Octets, name: str | None = None) -> _M:
    """Parse *data* as *kind*; raises WireError ``error unmarshalling <name>: ...``."""
    try:
        return parse_bare(kind, data)
    except WireError as error:
        text = f"error unmarshalling {name or kind.DESCRIPTOR.name}: {error}"
        raise WireError(text) from error


def parse_bare(kind: type[_M], data: Octets) -> _M:
    """The same where Fabric adds nothing of its own: the WireError is what Go's library says."""
    message = kind()
    try:
        message.ParseFromString(bytes(data))
    except DecodeError as error:
        raise WireError(_UNREADABLE) from error
    return message


def serialize(message: Message) -> bytes:
    """Serialise with sorted map entries, as anything hashed, signed or stored must be (§8)."""
    return message.SerializeToString(deterministic=True)
