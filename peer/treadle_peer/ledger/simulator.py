"""Simulating one transaction: reads at one height, collected reads and writes.

Rules and texts are Fabric's (fabric-wire.md §1.7, §1.9, §4.6). Used by endorsement and by the
chaincode session on its behalf.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from types import TracebackType
from typing import NoReturn

from treadle_peer.ledger.errors import SimulationError
from treadle_peer.ledger.keys import namespace_prefix, range_bounds, state_key
from treadle_peer.ledger.rwset import RangeRecord, ReadWriteSet
from treadle_peer.ledger.values import VersionedValue, decode_metadata
from treadle_peer.ledger.views import StateView, ViewExpired

_DONE = "this instance should not be used after calling Done()"
_PAGED_AFTER_WRITE = "Paginated queries are supported only in a read-only transaction"
_WRITE_AFTER_PAGED = "Transaction has already performed a paginated query. Writes are not allowed"


@dataclass(frozen=True, slots=True)
class KeyValue:
    """One result of a range query."""

    namespace: str
    key: str
    value: bytes


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a range query; ``bookmark`` is the next key of the range, "" at its end."""

    results: list[KeyValue]
    bookmark: str


class RangeIterator:
    """Results of a range query in key order; every pulled one enters the read-write set.

    Stops after ``close`` too. Raises SimulationError when the simulation is over or expired.
    """

    def __init__(self, query: _RangeQuery) -> None:
        self._query = query
        self._closed = False

    def __iter__(self) -> RangeIterator:
        return self

    def __next__(self) -> KeyValue:
        result = None if self._closed else self._query.pull()
        if result is None:
            raise StopIteration
        return result

    def close(self) -> None:
        """Free what the iterator holds; harmless when done already."""
        self._closed = True
        self._query.cursor.close()


class _RangeQuery:
    """One range query of a simulation: where it stands, and its record in the rwset."""

    def __init__(self, simulator: Simulator, namespace: str, end: str, record: RangeRecord) -> None:
        self._simulator = simulator
        self._namespace = namespace
        self._prefix = len(namespace_prefix(namespace))
        self._asked_end = end
        self._record = record
        self.cursor = simulator.view.scan(*range_bounds(namespace, record.start, end))

    def pull(self) -> KeyValue | None:
        """The next result, recorded; None at the end, recorded too."""
        item = self._next()
        if item is None:
            self._record.saw_end(self._asked_end)
            return None
        found = VersionedValue.decode(item[1])
        key = item[0][self._prefix :].decode()
        self._record.saw(key, found.version)
        return KeyValue(self._namespace, key, found.value)

    def peek(self) -> str:
        """The next key without recording it, "" at the end; the query is over then."""
        item = self._next()
        self.cursor.close()
        return "" if item is None else item[0][self._prefix :].decode()

    def _next(self) -> tuple[bytes, bytes] | None:
        with self._simulator.reading():
            return next(self.cursor, None)


class Simulator:
    """One transaction's simulation. Close it, or use it as a context manager.

    Reads see the committed state of one height, never the transaction's own writes. For one
    thread at a time.
    """

    def __init__(self, view: StateView, tx_id: str) -> None:
        self.view = view
        self._tx_id = tx_id
        self._set = ReadWriteSet()
        self._queries: list[_RangeQuery] = []
        self._results: bytes | None = None
        self._closed = False
        self._wrote = False
        self._paged = False

    @property
    def height(self) -> int:
        """How many blocks the simulation knows."""
        return self.view.height

    def get_state(self, namespace: str, key: str) -> bytes | None:
        """The committed value, or None; recorded either way."""
        found = self._read(namespace, key)
        return None if found is None else found.value

    def set_state(self, namespace: str, key: str, value: bytes) -> None:
        """Write *key*; an empty *value* deletes it, as in Fabric."""
        self._begin_write()
        self._set.write(namespace, key, value)

    def delete_state(self, namespace: str, key: str) -> None:
        """Delete *key*, present or not."""
        self.set_state(namespace, key, b"")

    def get_state_metadata(self, namespace: str, key: str) -> Mapping[str, bytes]:
        """The committed metadata by name, empty when there is none; recorded as a read."""
        found = self._read(namespace, key)
        return {} if found is None else decode_metadata(found.metadata)

    def set_state_metadata(self, namespace: str, key: str, entries: Mapping[str, bytes]) -> None:
        """Replace the whole metadata of *key*; no entries removes it. Records no read."""
        self._begin_write()
        self._set.write_metadata(namespace, key, entries)

    def range(self, namespace: str, start: str, end: str) -> RangeIterator:
        """Results with ``start <= key < end``; an empty *end* is the end of the namespace."""
        return RangeIterator(self._begin_range(namespace, start, end))

    def range_page(self, namespace: str, start: str, end: str, *, page_size: int) -> Page:
        """The first *page_size* results of the range; makes the transaction read-only.

        A continuation passes the previous bookmark as *start*.
        """
        self._begin_page()
        query = self._begin_range(namespace, start, end)
        results: list[KeyValue] = []
        while len(results) < page_size:
            result = query.pull()
            if result is None:
                return Page(results, "")
            results.append(result)
        # The key behind the page is looked up, but the transaction has not seen it.
        return Page(results, query.peek())

    def rich_query(self, *, paged: bool) -> NoReturn:
        """Always raises SimulationError: the state is no CouchDB, and the texts are LevelDB's.

        A paged one makes the transaction read-only all the same.
        """
        self._check_open()
        if paged:
            self._begin_page()
            raise SimulationError("ExecuteQueryWithMetadata not supported for leveldb")
        raise SimulationError("ExecuteQuery not supported for leveldb")

    def results(self) -> bytes:
        """The marshalled TxReadWriteSet, the same bytes each time; ends reading and writing."""
        if self._results is None:
            self._check_open()
            self._results = self._set.marshal()
            self._set = ReadWriteSet()  # large values are in the results now
        return self._results

    def close(self) -> None:
        """End the simulation and free what it holds; harmless when done already."""
        if self._closed:
            return
        self._closed = True
        for query in self._queries:
            query.cursor.close()
        self.view.release()

    def __enter__(self) -> Simulator:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Guards every access to the state: checks before, translates errors after."""
        self._check_open()
        try:
            yield
        except ViewExpired as error:
            raise SimulationError(f"txid [{self._tx_id}]: {error}") from error

    def _read(self, namespace: str, key: str) -> VersionedValue | None:
        with self.reading():
            stored = self.view.get(state_key(namespace, key))
        found = None if stored is None else VersionedValue.decode(stored)
        self._set.read(namespace, key, None if found is None else found.version)
        return found

    def _begin_range(self, namespace: str, start: str, end: str) -> _RangeQuery:
        with self.reading():
            record = self._set.range(namespace, start)
            query = _RangeQuery(self, namespace, end, record)
        self._queries.append(query)
        return query

    def _begin_page(self) -> None:
        if self._wrote:
            raise self._unsupported(_PAGED_AFTER_WRITE)
        self._paged = True

    def _begin_write(self) -> None:
        self._check_open()
        if self._paged:
            raise self._unsupported(_WRITE_AFTER_PAGED)
        self._wrote = True

    def _check_open(self) -> None:
        if self._closed or self._results is not None:
            raise SimulationError(_DONE)

    def _unsupported(self, reason: str) -> SimulationError:
        return SimulationError(f"txid [{self._tx_id}]: unsuppored transaction. {reason}")
