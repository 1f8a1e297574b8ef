"""The results of a range query as Fabric summarises them (fabric-wire.md §4.6).

Up to ``max_degree`` results stay as they are; more become the top level of a hash tree. The same
code runs at simulation and at validation.
"""

from __future__ import annotations

import hashlib

from fabric_protos.ledger.rwset.kvrwset.kv_rwset_pb2 import (
    KVRead,
    QueryReads,
    QueryReadsMerkleSummary,
)
from fabric_protos.ledger.rwset.kvrwset.kv_rwset_pb2 import Version as VersionMessage

from treadle_peer.ledger.values import Version

MAX_DEGREE = 50
_LEAF_LEVEL = 1
_READ_BYTES = 6
"""What the smallest read takes beside its key: tags, lengths, a version."""


def kv_read(key: str, version: Version | None) -> KVRead:
    """A read; without version the key was missing. Version (0, 0) is present but empty."""
    if version is None:
        return KVRead(key=key)
    return KVRead(key=key, version=VersionMessage(block_num=version.block, tx_num=version.tx))


class RangeResults:
    """Collects the results of one range query in order, in bounded memory."""

    __slots__ = ("_levels", "_max_degree", "_pending", "_pending_bytes", "_top")

    def __init__(self, max_degree: int = MAX_DEGREE) -> None:
        self._max_degree = max_degree
        # Messages would be ten times as large, and a transaction may hold many ranges open.
        self._pending: list[tuple[str, Version]] = []
        self._pending_bytes = 0
        self._levels: dict[int, list[bytes]] = {}
        self._top = _LEAF_LEVEL

    def add(self, key: str, version: Version) -> None:
        """Append one result."""
        self._pending.append((key, version))
        self._pending_bytes += len(key.encode()) + _READ_BYTES
        if len(self._pending) > self._max_degree:
            self._hash_pending()

    @property
    def top(self) -> tuple[int, list[bytes]]:
        """The highest level so far and its hashes, while results still come."""
        return self._top, self._levels.get(self._top, [])

    @property
    def size(self) -> int:
        """Bytes of what is held now, no more than the message of it has."""
        hashes = sum(len(nodes) for nodes in self._levels.values())
        return self._pending_bytes + hashes * hashlib.sha256().digest_size

    def finish(self) -> list[KVRead] | QueryReadsMerkleSummary:
        """All results, raw or summarised; nothing can be added afterwards."""
        if not self._levels:
            return self._reads()
        if self._pending:
            self._hash_pending()
        self._fold()
        level, hashes = self.top
        return QueryReadsMerkleSummary(
            max_degree=self._max_degree, max_level=level, max_level_hashes=hashes
        )

    def _hash_pending(self) -> None:
        reads = QueryReads(kv_reads=self._reads()).SerializeToString()
        self._pending = []
        self._pending_bytes = 0
        self._grow(hashlib.sha256(reads).digest())

    def _reads(self) -> list[KVRead]:
        return [kv_read(key, version) for key, version in self._pending]

    def _grow(self, leaf: bytes) -> None:
        level, node = _LEAF_LEVEL, leaf
        while True:
            nodes = self._levels.setdefault(level, [])
            nodes.append(node)
            if len(nodes) <= self._max_degree:
                return
            node = _combined(self._levels.pop(level))
            level += 1
            self._top = max(self._top, level)

    def _fold(self) -> None:
        for level in range(_LEAF_LEVEL, self._top):
            nodes = self._levels.pop(level, [])
            if nodes:
                # A lone node moves up as it is.
                node = nodes[0] if len(nodes) == 1 else _combined(nodes)
                self._levels.setdefault(level + 1, []).append(node)
        nodes = self._levels[self._top]
        if len(nodes) > self._max_degree:
            del self._levels[self._top]
            self._top += 1
            self._levels[self._top] = [_combined(nodes)]


def _combined(nodes: list[bytes]) -> bytes:
    return hashlib.sha256(b"".join(nodes)).digest()
