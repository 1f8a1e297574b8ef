"""Keys of the column families. Byte order is the order of what they encode.

A text part is escaped (00 becomes 00 FF) and closed by 00 01, which sorts below every
continuation; the last part needs neither. UTF-8 byte order is code point order, so keys come
out in Fabric's order (fabric-wire.md §1.8).
"""

from __future__ import annotations

import struct

_CLOSE = b"\x00\x01"
_AFTER = b"\x00\x02"
_POSITION = struct.Struct(">QI")
_NUMBER = struct.Struct(">Q")


def namespace_prefix(namespace: str) -> bytes:
    """What every state key of *namespace* starts with."""
    return _escaped(namespace) + _CLOSE


def namespace_end(namespace: str) -> bytes:
    """The first possible state key behind *namespace*."""
    return _escaped(namespace) + _AFTER


def state_key(namespace: str, key: str) -> bytes:
    """Where the value of *key* is; the empty key is the first of its namespace."""
    return namespace_prefix(namespace) + key.encode()


def range_bounds(namespace: str, start: str, end: str) -> tuple[bytes, bytes]:
    """State keys from *start* to before *end*; an empty *end* is the end of the namespace."""
    first = state_key(namespace, start)
    last = state_key(namespace, end) if end else namespace_end(namespace)
    return first, last


def history_prefix(namespace: str, key: str) -> bytes:
    """What every history row of *key* starts with."""
    return _escaped(namespace) + _CLOSE + _escaped(key) + _CLOSE


def history_key(namespace: str, key: str, *, block: int, tx: int) -> bytes:
    """The row that says: transaction *tx* of *block* wrote *key*."""
    return history_prefix(namespace, key) + _POSITION.pack(block, tx)


def history_end(namespace: str, key: str) -> bytes:
    """The first possible row behind the history of *key*."""
    return _escaped(namespace) + _CLOSE + _escaped(key) + _AFTER


def position(block: int, tx: int) -> bytes:
    """A transaction's place on the chain, 12 bytes."""
    return _POSITION.pack(block, tx)


def read_position(encoded: bytes) -> tuple[int, int]:
    """Block and transaction index from the last 12 bytes of *encoded*."""
    block, tx = _POSITION.unpack(encoded[-_POSITION.size :])
    return block, tx


def number(block: int) -> bytes:
    """A block number, 8 bytes; the prefix of all its transactions' positions."""
    return _NUMBER.pack(block)


def read_number(encoded: bytes) -> int:
    """The inverse of ``number``."""
    (block,) = _NUMBER.unpack(encoded)
    return int(block)


def _escaped(text: str) -> bytes:
    return text.encode().replace(b"\x00", b"\x00\xff")
