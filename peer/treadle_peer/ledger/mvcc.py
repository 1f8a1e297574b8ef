"""Which transactions of a block still hold, and what they change (fabric-wire.md §5.6).

Pure decisions over a view of the committed state. Transactions are judged in block order, each
against the committed state and the updates of the valid ones before it (trap 57).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

from fabric_protos.ledger.rwset.kvrwset.kv_rwset_pb2 import (
    KVRead,
    KVRWSet,
    QueryReadsMerkleSummary,
    RangeQueryInfo,
)
from fabric_protos.peer.transaction_pb2 import TxValidationCode

from treadle_peer.ledger.merkle import RangeResults
from treadle_peer.ledger.transactions import NamespaceSet
from treadle_peer.ledger.updates import BlockUpdates, Update
from treadle_peer.ledger.values import Version, VersionedValue

_VALID = TxValidationCode.VALID
_MVCC = TxValidationCode.MVCC_READ_CONFLICT
_PHANTOM = TxValidationCode.PHANTOM_READ_CONFLICT


class CommittedState(Protocol):
    """The state before the block."""

    def get(self, namespace: str, key: str) -> VersionedValue | None:
        """The content of *key*, or None."""

    def version(self, namespace: str, key: str) -> Version | None:
        """The version of *key*, or None."""

    def versions(self, namespace: str, start: str, end: str) -> Iterator[tuple[str, Version]]:
        """Keys with ``start <= key < end`` and their versions; an empty *end* is open."""


class Validator:
    """Judges the transactions of one block; the updates of the valid ones are the caller's."""

    def __init__(self, state: CommittedState, updates: BlockUpdates) -> None:
        self._state = state
        self._updates = updates

    def judge(self, sets: Sequence[NamespaceSet]) -> TxValidationCode.ValueType:
        """VALID, MVCC_READ_CONFLICT or PHANTOM_READ_CONFLICT, whichever shows first."""
        for each in sets:
            if not self._reads_hold(each.namespace, each.content):
                return _MVCC
            ranges = each.content.range_queries_info
            if not all(self._range_holds(each.namespace, info) for info in ranges):
                return _PHANTOM
        return _VALID

    def _reads_hold(self, namespace: str, content: KVRWSet) -> bool:
        return all(
            self._updates.get(namespace, read.key) is None
            and self._state.version(namespace, read.key) == _version_of(read)
            for read in content.reads
        )

    def _range_holds(self, namespace: str, info: RangeQueryInfo) -> bool:
        now = self._rerun(namespace, info)
        if info.HasField("reads_merkle_hashes"):
            return _summary_holds(info.reads_merkle_hashes, now)
        reads = ((read.key, _version_of(read)) for read in info.raw_reads.kv_reads)
        missing = object()
        return all(next(now, missing) == read for read in reads) and next(now, None) is None

    def _rerun(self, namespace: str, info: RangeQueryInfo) -> Iterator[tuple[str, Version]]:
        """The query's results with the block's updates; its end is included if not exhausted."""
        start, end = info.start_key, info.end_key
        yield from _overlaid(
            self._state.versions(namespace, start, end),
            self._updates.range(namespace, start, end),
        )
        if not info.itr_exhausted:
            version = self._latest_version(namespace, end)
            if version is not None:
                yield end, version

    def _latest_version(self, namespace: str, key: str) -> Version | None:
        update = self._updates.get(namespace, key)
        if update is None:
            return self._state.version(namespace, key)
        return None if update.value is None else update.version


def _overlaid(
    committed: Iterator[tuple[str, Version]], updates: list[tuple[str, Update]]
) -> Iterator[tuple[str, Version]]:
    """Both sides merged in key order; an update hides the committed key, a deletion both."""
    ahead = next(committed, None)
    for key, update in updates:
        while ahead is not None and ahead[0] < key:
            yield ahead
            ahead = next(committed, None)
        if ahead is not None and ahead[0] == key:
            ahead = next(committed, None)
        if update.value is not None:
            yield key, update.version
    if ahead is not None:
        yield ahead
        yield from committed


def _summary_holds(summary: QueryReadsMerkleSummary, now: Iterator[tuple[str, Version]]) -> bool:
    """Whether the results still hash to *summary*; stops at the first difference."""
    if summary.max_degree < 2:
        return False
    results = RangeResults(summary.max_degree)
    expected = list(summary.max_level_hashes)
    seen = (0, 0)
    for key, version in now:
        results.add(key, version)
        level, hashes = results.top
        if (level, len(hashes)) == seen:
            continue
        seen = (level, len(hashes))
        if level > summary.max_level:
            return False
        if level == summary.max_level and hashes != expected[: len(hashes)]:
            return False
    final = results.finish()
    return (
        isinstance(final, QueryReadsMerkleSummary)
        and final.max_level == summary.max_level
        and list(final.max_level_hashes) == expected
    )


def _version_of(read: KVRead) -> Version | None:
    if not read.HasField("version"):
        return None
    return Version(read.version.block_num, read.version.tx_num)
