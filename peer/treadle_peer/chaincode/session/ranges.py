"""GET_STATE_BY_RANGE, GET_QUERY_RESULT, QUERY_STATE_NEXT, QUERY_STATE_CLOSE (wire §1.7)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NoReturn, Protocol, TypeVar

from fabric_protos.ledger.queryresult.kv_query_result_pb2 import KV
from fabric_protos.peer.chaincode_shim_pb2 import (
    GetQueryResult,
    GetStateByRange,
    QueryMetadata,
    QueryResponseMetadata,
    QueryStateClose,
    QueryStateNext,
)

from treadle_peer.chaincode.session.private_data import refuse_collection
from treadle_peer.chaincode.session.queries import (
    MAX_BATCH_BYTES,
    RESULT_OVERHEAD,
    new_query_id,
    query_response,
)
from treadle_peer.chaincode.session.replies import RequestFailed, parse
from treadle_peer.chaincode.session.requests import Request
from treadle_peer.ledger import KeyValue

T_co = TypeVar("T_co", covariant=True)


class ClosableIterator(Protocol[T_co]):
    """What the ledger gives for a range or a history."""

    def __iter__(self) -> Iterator[T_co]: ...

    def __next__(self) -> T_co: ...

    def close(self) -> None: ...


def get_state_by_range(request: Request) -> bytes:
    """First batch of a range, or a whole page when paging metadata is set."""
    wanted = parse(GetStateByRange, request.payload)
    paging = parse(QueryMetadata, wanted.metadata)
    refuse_collection(request, wanted.collection)
    if is_paged(paging):
        return _page(request, wanted, paging)
    results = request.simulator.range(request.namespace, wanted.startKey, wanted.endKey)
    opened = request.transaction.queries.start(EncodedRange(results), request.total_query_limit)
    return opened.SerializeToString()


def get_query_result(request: Request) -> NoReturn:
    """Rich queries need CouchDB, which the ledger is not."""
    wanted = parse(GetQueryResult, request.payload)
    paging = parse(QueryMetadata, wanted.metadata)
    refuse_collection(request, wanted.collection)
    request.simulator.rich_query(paged=is_paged(paging))


def query_state_next(request: Request) -> bytes:
    """The next batch of an open iterator; never paged."""
    query_id = parse(QueryStateNext, request.payload).id
    batch = request.transaction.queries.next(query_id, request.total_query_limit)
    return batch.SerializeToString()


def query_state_close(request: Request) -> bytes:
    """Close an iterator; always answered, also for unknown and exhausted ids."""
    query_id = parse(QueryStateClose, request.payload).id
    request.transaction.queries.stop(query_id)
    return query_response(query_id, [], more=False).SerializeToString()


def is_paged(paging: QueryMetadata) -> bool:
    """Paging is on when either field is set."""
    return bool(paging.pageSize or paging.bookmark)


class EncodedRange:
    """A range iterator whose results are the bytes that the shims decode."""

    def __init__(self, results: ClosableIterator[KeyValue]) -> None:
        self._results = results

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        return encode_key_value(next(self._results))

    def close(self) -> None:
        """Release the ledger's iterator."""
        self._results.close()


def encode_key_value(found: KeyValue) -> bytes:
    """Marshalled ``queryresult.KV``."""
    return KV(namespace=found.namespace, key=found.key, value=found.value).SerializeToString()


def _page(request: Request, wanted: GetStateByRange, paging: QueryMetadata) -> bytes:
    limit = request.total_query_limit
    if paging.pageSize > 0:
        limit = min(limit, paging.pageSize)
    start = paging.bookmark or wanted.startKey
    page = request.simulator.range_page(request.namespace, start, wanted.endKey, page_size=limit)
    results = [encode_key_value(found) for found in page.results]
    if sum(map(len, results)) + RESULT_OVERHEAD * len(results) > MAX_BATCH_BYTES:
        raise RequestFailed(f"a page of {len(results)} keys exceeds the message size: ask for less")
    response = query_response(new_query_id(), results, more=False)
    response.metadata = QueryResponseMetadata(
        fetched_records_count=len(results), bookmark=page.bookmark
    ).SerializeToString()
    return response.SerializeToString()
