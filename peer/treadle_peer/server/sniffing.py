"""What a connection speaks, told from its first bytes."""

from __future__ import annotations

from enum import Enum, auto
from typing import Final

_PREFACE: Final = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"  # RFC 9113 §3.4
_HANDSHAKE_RECORD: Final = b"\x16\x03"  # RFC 8446 §5.1: the type, and the legacy version's half
_CLIENT_HELLO: Final = 1
_RECORD_HEADER_BYTES: Final = 5

FIRST_BYTES: Final = len(_PREFACE)
"""So many bytes always suffice."""


class Speech(Enum):
    """What a client opens a connection with."""

    TLS = auto()
    HTTP2 = auto()
    OTHER = auto()


def recognise(first: bytes) -> Speech | None:
    """What a connection that begins with *first* speaks; None while more bytes are needed."""
    if _PREFACE.startswith(first[:FIRST_BYTES]):
        return Speech.HTTP2 if len(first) >= FIRST_BYTES else None
    if not first.startswith(_HANDSHAKE_RECORD[: len(first)]):
        return Speech.OTHER
    if len(first) <= _RECORD_HEADER_BYTES:
        return None
    return Speech.TLS if first[_RECORD_HEADER_BYTES] == _CLIENT_HELLO else Speech.OTHER
