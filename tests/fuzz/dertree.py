"""Edits of DER structures: any element changed, every length around it right again."""

from __future__ import annotations

from fuzz.layers import spoil
from fuzz.octets import Octets

_CONSTRUCTED = 0x20
_OCTET_STRING = 0x04
_TAGS = (1, 2, 3, 4, 5, 6, 0x0A, 0x0C, 0x13, 0x16, 0x17, 0x18, 0x1E, 0x30, 0x31, 0xA0, 0xA3, 0x82)
_CONTENTS = (
    b"",
    b"\x00",
    b"\xff",
    b"\x7f" * 20,
    b"\x7f" * 2000,
    b"99991231235959Z",
    b"00000101000000Z",
    b"491231235959Z",
    b"700101000000Z",
    bytes.fromhex("550403"),
    bytes.fromhex("551d1e"),
    bytes.fromhex("551d11"),
    bytes.fromhex("2a8648ce3d0301"),
    bytes.fromhex("2b8104000a"),
    bytes.fromhex("2b656e"),
    bytes.fromhex("2b6570"),
    "\u0000ü.example".encode(),
)


def split(raw: bytes) -> list[tuple[int, bytes]] | None:
    """The elements of *raw*, tag and content; None when it is not made of elements."""
    elements, position = [], 0
    while position < len(raw):
        if position + 2 > len(raw):
            return None
        tag, size = raw[position], raw[position + 1]
        position += 2
        if size & 0x80:
            count = size & 0x7F
            size = int.from_bytes(raw[position : position + count], "big")
            position += count
        if position + size > len(raw):
            return None
        elements.append((tag, raw[position : position + size]))
        position += size
    return elements


def element(tag: int, content: bytes) -> bytes:
    """One element with its length."""
    size = len(content)
    if size < 0x80:
        return bytes((tag, size)) + content
    octets = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(octets))) + octets + content


def edit_der(raw: bytes, octets: Octets) -> bytes:
    """*raw* with one element changed, wherever it lies."""
    elements = split(raw)
    if not elements:
        return spoil(raw, octets)
    place = octets.below(len(elements))
    tag, content = elements[place]
    inner = split(content) if tag & _CONSTRUCTED or tag == _OCTET_STRING else None
    if inner and octets.below(8):
        elements[place] = (tag, edit_der(content, octets))
    else:
        elements[place : place + 1] = _changed(tag, content, octets)
    return b"".join(element(*each) for each in elements)


def _changed(tag: int, content: bytes, octets: Octets) -> list[tuple[int, bytes]]:
    match octets.below(7):
        case 0:
            return []
        case 1:
            return [(tag, content)] * 2
        case 2:
            return [(octets.pick(_TAGS), content)]
        case 3:
            return [(octets.pick(_TAGS), octets.pick(_CONTENTS))]
        case 4:
            return [(tag, octets.pick(_CONTENTS))]
        case 5:
            return [(tag, content), (octets.pick(_TAGS), octets.short())]
        case _:
            return [(tag, spoil(content, octets))]
