"""Iterators of one transaction: batches, look-ahead, limits (fabric-wire.md §1.7)."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Protocol

from fabric_protos.peer.chaincode_shim_pb2 import QueryResponse, QueryResultBytes

from treadle_peer.chaincode.session.replies import RequestFailed
from treadle_peer.chaincode.streams import MAX_MESSAGE_BYTES

BATCH_SIZE = 100
MAX_OPEN = 10_000
"""Open iterators of one transaction; Fabric has no bound, a runaway chaincode needs one."""
MAX_BATCH_BYTES = MAX_MESSAGE_BYTES - 64 * 1024
RESULT_OVERHEAD = 8


class ResultIterator(Protocol):
    """Encoded results; ``close`` frees what the ledger holds for it."""

    def __iter__(self) -> Iterator[bytes]: ...

    def __next__(self) -> bytes: ...

    def close(self) -> None: ...


class OpenQuery:
    """One iterator with the result that was looked ahead but not yet sent."""

    def __init__(self, results: ResultIterator) -> None:
        self._results = results
        self._ahead: list[bytes] = []
        self._pulled = 0

    def next_batch(self, limit: int) -> tuple[list[bytes], bool]:
        """Up to 100 results and whether more follow.

        One more result than is sent is pulled, so ``True`` promises a non-empty next batch; the
        ledger records that one too, as a real peer does. *limit* caps all results of the
        iterator together. A batch that would not fit into a message is cut early: Fabric
        would lose the stream there.
        """
        batch = self._ahead
        size = sum(len(result) + RESULT_OVERHEAD for result in batch)
        while self._pulled < limit:
            result = next(self._results, None)
            if result is None:
                return batch, False
            self._pulled += 1
            size += len(result) + RESULT_OVERHEAD
            if len(batch) == BATCH_SIZE or (batch and size > MAX_BATCH_BYTES):
                self._ahead = [result]
                return batch, True
            batch.append(result)
        return batch, False

    def close(self) -> None:
        """Release the ledger's iterator."""
        self._results.close()


class OpenQueries:
    """All open iterators of a transaction; closed with it."""

    def __init__(self) -> None:
        self._open: dict[str, OpenQuery] = {}

    def __len__(self) -> int:
        return len(self._open)

    def start(self, results: ResultIterator, limit: int) -> QueryResponse:
        """Register *results* and give the first batch."""
        if len(self._open) >= MAX_OPEN:
            results.close()
            raise RequestFailed(f"{MAX_OPEN} iterators are open already: close some of them")
        query_id = new_query_id()
        self._open[query_id] = OpenQuery(results)
        return self.next(query_id, limit)

    def next(self, query_id: str, limit: int) -> QueryResponse:
        """The next batch; an exhausted or failing iterator is closed at once."""
        query = self._open.get(query_id)
        if query is None:
            raise RequestFailed("query iterator not found")
        more = False
        try:
            batch, more = query.next_batch(limit)
        finally:
            if not more:
                self.stop(query_id)
        return query_response(query_id, batch, more=more)

    def stop(self, query_id: str) -> None:
        """Close one iterator; unknown ids are fine."""
        query = self._open.pop(query_id, None)
        if query is not None:
            query.close()

    def close(self) -> None:
        """Close all."""
        while self._open:
            self._open.popitem()[1].close()


def new_query_id() -> str:
    """A UUID, as Fabric uses."""
    return str(uuid.uuid4())


def query_response(query_id: str, results: list[bytes], *, more: bool) -> QueryResponse:
    """One batch as the shims read it."""
    return QueryResponse(
        results=[QueryResultBytes(resultBytes=result) for result in results],
        has_more=more,
        id=query_id,
    )
