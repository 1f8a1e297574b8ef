"""The state changes of one block, growing transaction by transaction, and their commit hash."""

from __future__ import annotations

import hashlib
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass

from treadle_peer.ledger.values import Version


@dataclass(frozen=True, slots=True)
class Update:
    """The new content of a key; ``value=None`` deletes it."""

    value: bytes | None
    version: Version
    metadata: bytes = b""


class BlockUpdates:
    """Last word on every key that the valid transactions of a block write."""

    def __init__(self) -> None:
        self._namespaces: dict[str, dict[str, Update]] = {}

    def put(self, namespace: str, key: str, update: Update) -> None:
        """Replace what earlier transactions of the block said about *key*."""
        self._namespaces.setdefault(namespace, {})[key] = update

    def get(self, namespace: str, key: str) -> Update | None:
        """What the block says about *key* so far; None: nothing."""
        return self._namespaces.get(namespace, {}).get(key)

    def range(self, namespace: str, start: str, end: str) -> list[tuple[str, Update]]:
        """Updates with ``start <= key < end`` in key order; an empty *end* is open."""
        updates = self._namespaces.get(namespace, {})
        keys = sorted(updates)
        first = bisect_left(keys, start)
        last = bisect_left(keys, end) if end else len(keys)
        return [(key, updates[key]) for key in keys[first:last]]

    def __iter__(self) -> Iterator[tuple[str, str, Update]]:
        """Namespace, key and update, in order of both."""
        for namespace, updates in sorted(self._namespaces.items()):
            for key, update in sorted(updates.items()):
                yield namespace, key, update


def commit_hash(*, codes: bytes, updates: BlockUpdates, previous: bytes) -> bytes:
    """SHA-256 over the codes with their count, the updates, the hash before (wire §5.3)."""
    digest = hashlib.sha256(_varint(len(codes)) + codes)
    for write in _marshalled_writes(updates):
        digest.update(write)
    digest.update(previous)
    return digest.digest()


def _marshalled_writes(updates: BlockUpdates) -> Iterator[bytes]:
    """The pieces of Fabric's internal message Updates{repeated KVWrite kvwrites = 1}.

    KVWrite{namespace 1, collection 2, key 3, isDelete 4, value 5, version_bytes 6}. A namespace
    is named by its first write only. The channel configuration (namespace "") is left out.
    """
    named = ""
    for namespace, key, update in updates:
        if not namespace:
            continue
        write = b"" if namespace == named else _field(1, namespace.encode())
        named = namespace
        write += _field(3, key.encode())
        write += b"\x20\x01" if update.value is None else _field(5, update.value)
        write += _field(6, _height_bytes(update.version))
        yield _field(1, write)


def _height_bytes(version: Version) -> bytes:
    """Both numbers as a length byte and the shortest big-endian digits."""
    parts = []
    for number in (version.block, version.tx):
        digits = number.to_bytes((number.bit_length() + 7) // 8, "big")
        parts += [bytes((len(digits),)), digits]
    return b"".join(parts)


def _field(number: int, content: bytes) -> bytes:
    """A length-delimited field; an empty one is absent, as in proto3."""
    if not content:
        return b""
    return bytes((number << 3 | 2,)) + _varint(len(content)) + content


def _varint(number: int) -> bytes:
    encoded = bytearray()
    while number > 0x7F:
        encoded.append(number & 0x7F | 0x80)
        number >>= 7
    encoded.append(number)
    return bytes(encoded)
