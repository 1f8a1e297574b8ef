"""HTTP/2 frames by hand (RFC 9113), for clients that do not keep to it."""

from __future__ import annotations

import struct
from collections.abc import Mapping

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, RST_STREAM, SETTINGS, PING, CONTINUATION = 0, 1, 3, 4, 6, 9
END_HEADERS = 0x4


def frame(kind: int, payload: bytes = b"", *, flags: int = 0, stream: int = 0) -> bytes:
    """One frame; *payload* of at most 16 KiB."""
    return struct.pack(">I", len(payload))[1:] + struct.pack(">BBI", kind, flags, stream) + payload


def field(name: str, value: str) -> bytes:
    """A header field as an uncompressed HPACK literal that is not indexed."""
    encoded = b"\x00"
    for text in (name.encode(), value.encode()):
        encoded += _integer(len(text), bits=7) + text
    return encoded


def request(method: str, more: Mapping[str, str] | None = None) -> bytes:
    """The header block of a gRPC call."""
    fields = {
        ":method": "POST",
        ":scheme": "http",
        ":path": method,
        ":authority": "localhost",
        "te": "trailers",
        "content-type": "application/grpc",
        **(more or {}),
    }
    return b"".join(field(name, value) for name, value in fields.items())


def opening() -> bytes:
    """What a client begins with."""
    return PREFACE + frame(SETTINGS)


def _integer(value: int, *, bits: int) -> bytes:
    """RFC 7541 §5.1, with the other bits of the first byte zero."""
    most = (1 << bits) - 1
    if value < most:
        return bytes([value])
    octets = [most]
    value -= most
    while value >= 0x80:
        octets.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*octets, value])
