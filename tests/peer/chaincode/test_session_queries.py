"""Ranges, pages and histories as chaincodes read them (fabric-wire.md §1.7, Appendix A)."""

from __future__ import annotations

import pytest
from fabric_protos.ledger.queryresult.kv_query_result_pb2 import KV, KeyModification
from fabric_protos.peer.chaincode_shim_pb2 import ChaincodeMessage as Msg
from fabric_protos.peer.chaincode_shim_pb2 import (
    GetHistoryForKey,
    GetQueryResult,
    GetStateByRange,
    PutState,
    QueryMetadata,
    QueryResponse,
    QueryResponseMetadata,
    QueryStateClose,
    QueryStateNext,
)
from harness.chaincode_talk import Chat
from treadle_peer.chaincode.session import queries

GARBAGE = b"\xff\xff\xff"


def keys(response):
    return [KV.FromString(result.resultBytes).key for result in response.results]


@pytest.fixture
def big(say, small_world):
    """Over the 250 keys r0000 to r0249."""
    return Chat(say, small_world.call())


def test_a_range_comes_in_batches_of_a_hundred(big):
    first = big.query(Msg.GET_STATE_BY_RANGE, GetStateByRange(startKey="r", endKey="s"))
    second = big.query(Msg.QUERY_STATE_NEXT, QueryStateNext(id=first.id))
    third = big.query(Msg.QUERY_STATE_NEXT, QueryStateNext(id=first.id))
    assert [len(b.results) for b in (first, second, third)] == [100, 100, 50]
    assert [b.has_more for b in (first, second, third)] == [True, True, False]
    assert {first.id, second.id, third.id} == {first.id}
    assert [*keys(first), *keys(second), *keys(third)] == [f"r{n:04}" for n in range(250)]
    [info] = big.range_info()
    assert (info.end_key, info.itr_exhausted) == ("s", True)
    assert big.session.in_flight == 1


def test_the_result_looked_ahead_is_recorded(big):
    first = big.query(Msg.GET_STATE_BY_RANGE, GetStateByRange(startKey="r", endKey="s"))
    closed = big.query(Msg.QUERY_STATE_CLOSE, QueryStateClose(id=first.id))
    assert closed == QueryResponse(id=first.id)
    [info] = big.range_info()
    assert (info.end_key, info.itr_exhausted) == ("r0100", False)


@pytest.mark.parametrize(
    ("start", "end", "count"),
    [("r0000", "r0100", 100), ("r0000", "r0099", 99), ("r0010", "r0010", 0), ("r0200", "", 50)],
)
def test_a_range_that_fits_one_batch_has_no_more(big, start, end, count):
    only = big.query(Msg.GET_STATE_BY_RANGE, GetStateByRange(startKey=start, endKey=end))
    assert (len(only.results), only.has_more) == (count, False)
    assert big.error(Msg.QUERY_STATE_NEXT, QueryStateNext(id=only.id)) == (
        "query iterator not found"
    )


def test_results_are_marshalled_key_values(big):
    found = big.query(Msg.GET_STATE_BY_RANGE, GetStateByRange(startKey="r0007", endKey="r0008"))
    [result] = found.results
    assert KV.FromString(result.resultBytes) == KV(namespace="probe", key="r0007", value=b"7")


def test_closing_an_unknown_iterator_is_answered(chat):
    assert chat.query(Msg.QUERY_STATE_CLOSE, QueryStateClose(id="nope")) == QueryResponse(id="nope")


@pytest.mark.parametrize(
    ("limit", "sizes"), [(1, [1]), (99, [99]), (100, [100]), (101, [100, 1]), (150, [100, 50])]
)
def test_the_total_limit_ends_an_iterator_silently(say, small_world, limit, sizes):
    chat = Chat(say, small_world.call(), total_query_limit=limit)
    batch = chat.query(Msg.GET_STATE_BY_RANGE)
    batches = [len(batch.results)]
    while batch.has_more:
        batch = chat.query(Msg.QUERY_STATE_NEXT, QueryStateNext(id=batch.id))
        batches.append(len(batch.results))
    assert batches == sizes


def page(chat, size, bookmark="", start="r", end="s"):
    metadata = QueryMetadata(pageSize=size, bookmark=bookmark).SerializeToString()
    answer = chat.query(
        Msg.GET_STATE_BY_RANGE, GetStateByRange(startKey=start, endKey=end, metadata=metadata)
    )
    told = QueryResponseMetadata.FromString(answer.metadata)
    assert not answer.has_more
    assert told.fetched_records_count == len(answer.results)
    return keys(answer), told.bookmark


def test_pages_follow_each_other_by_bookmark(big):
    first, bookmark = page(big, 100)
    assert (first[0], first[-1], bookmark) == ("r0000", "r0099", "r0100")
    second, bookmark = page(big, 100, bookmark)
    assert (second[0], second[-1], bookmark) == ("r0100", "r0199", "r0200")
    third, bookmark = page(big, 100, bookmark)
    assert (third[0], third[-1], bookmark) == ("r0200", "r0249", "")
    ends = [(info.end_key, info.itr_exhausted) for info in big.range_info()]
    assert ends == [("r0099", False), ("r0199", False), ("s", True)]


def test_a_page_may_exceed_a_batch(big):
    found, bookmark = page(big, 240)
    assert (len(found), bookmark) == (240, "r0240")


@pytest.mark.parametrize("size", [0, -5])
def test_a_bookmark_alone_pages_up_to_the_total_limit(say, small_world, size):
    chat = Chat(say, small_world.call(), total_query_limit=120)
    found, bookmark = page(chat, size, "r0100")
    assert (found[0], found[-1], bookmark) == ("r0100", "r0219", "r0220")


def test_a_page_is_cut_at_the_total_limit(say, small_world):
    chat = Chat(say, small_world.call(), total_query_limit=7)
    assert page(chat, 100)[1] == "r0007"


def test_nothing_may_be_written_after_a_page(big):
    page(big, 10)
    assert big.error(Msg.PUT_STATE, PutState(key="a", value=b"1")) == (
        "txid [t1]: unsuppored transaction. "
        "Transaction has already performed a paginated query. Writes are not allowed"
    )


@pytest.mark.parametrize(
    ("metadata", "text"),
    [
        (b"", "ExecuteQuery not supported for leveldb"),
        (
            QueryMetadata(pageSize=3).SerializeToString(),
            "ExecuteQueryWithMetadata not supported for leveldb",
        ),
    ],
)
def test_rich_queries_are_refused_as_by_leveldb(chat, metadata, text):
    assert chat.error(Msg.GET_QUERY_RESULT, GetQueryResult(query="{}", metadata=metadata)) == text


def test_history_is_newest_first_with_timestamps(say, world):
    for value in (b"1", b"2", b""):
        world.put({"k": value})
    chat = Chat(say, world.call())
    found = chat.query(Msg.GET_HISTORY_FOR_KEY, GetHistoryForKey(key="k"))
    changes = [KeyModification.FromString(result.resultBytes) for result in found.results]
    assert [(c.value, c.is_delete) for c in changes] == [(b"", True), (b"2", False), (b"1", False)]
    assert all(change.timestamp.seconds == 1700000000 for change in changes)
    assert not found.has_more


def test_a_long_history_comes_in_batches(say, world):
    for n in range(103):
        world.put({"k": b"%d" % n})
    chat = Chat(say, world.call())
    first = chat.query(Msg.GET_HISTORY_FOR_KEY, GetHistoryForKey(key="k"))
    rest = chat.query(Msg.QUERY_STATE_NEXT, QueryStateNext(id=first.id))
    assert (len(first.results), first.has_more) == (100, True)
    assert (len(rest.results), rest.has_more) == (3, False)


def test_history_may_be_off(say, world):
    chat = Chat(say, world.call(history=False))
    assert chat.error(Msg.GET_HISTORY_FOR_KEY, GARBAGE) == "history database is not enabled"


def test_a_runaway_chaincode_cannot_open_iterators_without_bound(say, small_world, monkeypatch):
    monkeypatch.setattr(queries, "MAX_OPEN", 3)
    chat = Chat(say, small_world.call())
    for _ in range(3):
        chat.query(Msg.GET_STATE_BY_RANGE)
    assert chat.error(Msg.GET_STATE_BY_RANGE) == "3 iterators are open already: close some of them"


def test_a_batch_that_would_not_fit_into_a_message_is_cut_early(say, small_world, monkeypatch):
    monkeypatch.setattr(queries, "MAX_BATCH_BYTES", 250)
    chat = Chat(say, small_world.call())
    batch = chat.query(Msg.GET_STATE_BY_RANGE)
    seen = keys(batch)
    assert 0 < len(seen) < 20
    while batch.has_more:
        batch = chat.query(Msg.QUERY_STATE_NEXT, QueryStateNext(id=batch.id))
        assert batch.results
        seen += keys(batch)
    assert seen == [f"r{n:04}" for n in range(250)]
