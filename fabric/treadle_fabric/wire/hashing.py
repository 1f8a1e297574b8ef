"""Hashes of block headers and block data (fabric-wire.md §5.3, traps 49 and 50)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from fabric_protos.common.common_pb2 import BlockHeader

from treadle_fabric.wire.messages import Octets

_INTEGER = 0x02
_OCTET_STRING = 0x04
_SEQUENCE = 0x30


def sha256(*parts: Octets) -> bytes:
    """SHA-256 over the concatenation of *parts*, without length prefixes."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part)
    return digest.digest()


def block_header_bytes(header: BlockHeader) -> bytes:
    """DER of SEQUENCE{INTEGER number, OCTET STRING previous_hash, OCTET STRING data_hash}."""
    # bit_length // 8 + 1 octets are the shortest two's complement with a clear sign bit.
    number = header.number.to_bytes(header.number.bit_length() // 8 + 1, "big")
    body = (
        _der(_INTEGER, number)
        + _der(_OCTET_STRING, header.previous_hash)
        + _der(_OCTET_STRING, header.data_hash)
    )
    return _der(_SEQUENCE, body)


def block_header_hash(header: BlockHeader) -> bytes:
    """SHA-256 of the DER header: what the next block carries as ``previous_hash``."""
    return sha256(block_header_bytes(header))


def block_data_hash(data: Iterable[bytes]) -> bytes:
    """SHA-256 of all entries joined flat."""
    return sha256(*data)


def _der(tag: int, content: bytes) -> bytes:
    length = len(content)
    if length < 0x80:
        return bytes((tag, length)) + content
    octets = length.to_bytes((length.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(octets))) + octets + content
