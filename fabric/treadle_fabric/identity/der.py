"""The few DER rules that Fabric's signatures and certificates need.

A strict reader of definite-length elements and writers for the three shapes we produce. Used by
``signatures`` (SEQUENCE of two INTEGERs) and ``certificates`` (replacing a signature in place).
"""

from __future__ import annotations

from dataclasses import dataclass

INTEGER = 0x02
BIT_STRING = 0x03
SEQUENCE = 0x30


class DERError(ValueError):
    """The bytes are not the DER structure that was asked for."""


@dataclass(frozen=True, slots=True)
class Element:
    """One element: its tag and where its content starts and ends in the buffer it came from."""

    tag: int
    content_start: int
    end: int


def read_element(data: bytes, offset: int, *, tag: int) -> Element:
    """Read the element with ``tag`` that starts at ``offset``; raises DERError."""
    if offset + 2 > len(data):
        raise DERError("asn1: syntax error: data truncated")
    if data[offset] != tag:
        raise DERError(
            f"asn1: structure error: tags don't match (0x{tag:02x} vs 0x{data[offset]:02x})"
        )
    start, length = _read_length(data, offset + 1)
    if start + length > len(data):
        raise DERError("asn1: syntax error: data truncated")
    return Element(tag=tag, content_start=start, end=start + length)


def _read_length(data: bytes, offset: int) -> tuple[int, int]:
    first = data[offset]
    if first < 0x80:
        return offset + 1, first
    count = first & 0x7F
    if count == 0:
        raise DERError("asn1: syntax error: indefinite length found (not DER)")
    octets = data[offset + 1 : offset + 1 + count]
    if len(octets) < count:
        raise DERError("asn1: syntax error: truncated tag or length")
    length = int.from_bytes(octets, "big")
    if octets[0] == 0 or length < 0x80:
        raise DERError("asn1: structure error: non-minimal length")
    return offset + 1 + count, length


def read_integer(data: bytes, offset: int) -> tuple[int, int]:
    """Read a minimally encoded INTEGER; returns its value and the offset behind it."""
    element = read_element(data, offset, tag=INTEGER)
    content = data[element.content_start : element.end]
    if not content:
        raise DERError("asn1: structure error: empty integer")
    if len(content) > 1 and (content[0], content[1] >> 7) in ((0x00, 0), (0xFF, 1)):
        raise DERError("asn1: structure error: integer not minimally-encoded")
    return int.from_bytes(content, "big", signed=True), element.end


def write_element(tag: int, content: bytes) -> bytes:
    """Encode one element with a minimal definite length."""
    size = len(content)
    if size < 0x80:
        return bytes((tag, size)) + content
    octets = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(octets))) + octets + content


def write_integer(value: int) -> bytes:
    """Encode a non-negative INTEGER (minimal two's complement)."""
    return write_element(INTEGER, value.to_bytes(value.bit_length() // 8 + 1, "big"))
