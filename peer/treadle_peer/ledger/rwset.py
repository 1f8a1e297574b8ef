"""Building a transaction's read-write set, byte for byte as Fabric does (fabric-wire.md §4.6)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from fabric_protos.ledger.rwset.kvrwset.kv_rwset_pb2 import (
    KVMetadataEntry,
    KVMetadataWrite,
    KVRWSet,
    QueryReads,
    QueryReadsMerkleSummary,
    RangeQueryInfo,
)
from fabric_protos.ledger.rwset.rwset_pb2 import NsReadWriteSet, TxReadWriteSet
from treadle_fabric.wire import length_delimited_start

from treadle_peer.ledger.errors import SimulationError
from treadle_peer.ledger.merkle import RangeResults, kv_read
from treadle_peer.ledger.values import Version

MAX_BYTES = 100 * 1024 * 1024
"""Keys, values and results of range queries that one transaction may collect: the largest message
(fabric-wire.md §0). Fabric collects what is never going to fit; nobody could receive the
endorsement, or order it.
"""
MAX_RANGES = 50_000
"""Range queries of one transaction. Each takes memory until the end, also with nothing in it."""


@dataclass(slots=True)
class RangeRecord:
    """What one range query has seen; ``end`` moves with it.

    Not exhausted: ``end`` is the last key pulled. Exhausted: the end that was asked for.
    """

    start: str
    grow: Callable[[int], None]
    end: str = ""
    exhausted: bool = False
    results: RangeResults = field(default_factory=RangeResults)

    def saw(self, key: str, version: Version) -> None:
        """A result was pulled; SimulationError above the bound."""
        before = self.results.size
        self.results.add(key, version)
        self._ends_at(key, more=self.results.size - before)

    def saw_end(self, asked: str) -> None:
        """There were no more results before the end *asked* for; SimulationError as above."""
        self.exhausted = True
        self._ends_at(asked)

    def _ends_at(self, key: str, *, more: int = 0) -> None:
        self.grow(more + _size(key) - _size(self.end))
        self.end = key

    def message(self) -> RangeQueryInfo:
        """For the read-write set; call once, at the end."""
        info = RangeQueryInfo(start_key=self.start, end_key=self.end, itr_exhausted=self.exhausted)
        results = self.results.finish()
        if isinstance(results, QueryReadsMerkleSummary):
            info.reads_merkle_hashes.CopyFrom(results)
        elif results:
            info.raw_reads.CopyFrom(QueryReads(kv_reads=results))
        return info


@dataclass(slots=True)
class _Namespace:
    reads: dict[str, Version | None] = field(default_factory=dict)
    writes: dict[str, bytes] = field(default_factory=dict)
    metadata: dict[str, Mapping[str, bytes]] = field(default_factory=dict)
    ranges: dict[tuple[str, str, bool], RangeQueryInfo] = field(default_factory=dict)

    def message(self) -> KVRWSet:
        message = KVRWSet(
            reads=[kv_read(key, version) for key, version in sorted(self.reads.items())],
            range_queries_info=self.ranges.values(),
            metadata_writes=[
                _metadata_write(key, entries) for key, entries in sorted(self.metadata.items())
            ],
        )
        for key, value in sorted(self.writes.items()):
            # In place: a message that is put into another one is copied.
            message.writes.add(key=key, is_delete=not value, value=value)
        return message


class ReadWriteSet:
    """Collects reads and writes; of repeated ones the last counts."""

    def __init__(self) -> None:
        self._namespaces: dict[str, _Namespace] = {}
        self._ranges: list[tuple[str, RangeRecord]] = []
        self._bytes = 0

    def read(self, namespace: str, key: str, version: Version | None) -> None:
        """*key* was read; ``None``: it is missing. Raises SimulationError above the bound."""
        reads = self._namespace(namespace).reads
        if key not in reads:
            self._grow(_size(key))
        reads[key] = version

    def write(self, namespace: str, key: str, value: bytes) -> None:
        """*key* is set, or deleted when *value* is empty; SimulationError above the bound."""
        writes = self._namespace(namespace).writes
        former = writes.get(key)
        self._grow(len(value) + _size(key) if former is None else len(value) - len(former))
        writes[key] = value

    def write_metadata(self, namespace: str, key: str, entries: Mapping[str, bytes]) -> None:
        """The whole metadata of *key* is replaced; no entries removes it.

        Raises SimulationError above the bound.
        """
        metadata = self._namespace(namespace).metadata
        former = metadata.get(key)
        size = _entries_size(entries)
        self._grow(size + _size(key) if former is None else size - _entries_size(former))
        metadata[key] = dict(entries)

    def range(self, namespace: str, start: str) -> RangeRecord:
        """A range query begins; the record grows with what it pulls. SimulationError as above."""
        if len(self._ranges) >= MAX_RANGES:
            raise SimulationError(
                f"the transaction makes more than {MAX_RANGES} range queries: "
                "query larger ranges, or use several transactions"
            )
        self._grow(_size(start))
        record = RangeRecord(start, self._grow)
        self._ranges.append((namespace, record))
        return record

    def marshal(self) -> bytes:
        """The marshalled TxReadWriteSet, empty when nothing was touched; call once."""
        for namespace, record in self._ranges:
            info = record.message()
            same = (info.start_key, info.end_key, info.itr_exhausted)
            self._namespace(namespace).ranges.setdefault(same, info)
        # Framed by hand: as messages the values would be there once more per layer.
        pieces = [TxReadWriteSet(data_model=TxReadWriteSet.KV).SerializeToString()]
        for name in sorted(self._namespaces):
            marshalled = self._namespaces.pop(name).message().SerializeToString()
            start = NsReadWriteSet(namespace=name).SerializeToString()
            if marshalled:
                start += length_delimited_start(NsReadWriteSet.RWSET_FIELD_NUMBER, len(marshalled))
            size = len(start) + len(marshalled)
            pieces.append(length_delimited_start(TxReadWriteSet.NS_RWSET_FIELD_NUMBER, size))
            pieces += (start, marshalled)
        return b"".join(pieces)

    def _grow(self, by: int) -> None:
        if by > 0 and self._bytes + by > MAX_BYTES:
            raise SimulationError(
                f"the transaction reads and writes more than {MAX_BYTES} bytes of keys, values and "
                "results of range queries, which no message can carry: use several transactions"
            )
        self._bytes += by

    def _namespace(self, name: str) -> _Namespace:
        return self._namespaces.setdefault(name, _Namespace())


def _size(key: str) -> int:
    return len(key.encode())


def _entries_size(entries: Mapping[str, bytes]) -> int:
    return sum(_size(name) + len(value) for name, value in entries.items())


def _metadata_write(key: str, entries: Mapping[str, bytes]) -> KVMetadataWrite:
    return KVMetadataWrite(
        key=key,
        entries=[KVMetadataEntry(name=name, value=entries[name]) for name in sorted(entries)],
    )
