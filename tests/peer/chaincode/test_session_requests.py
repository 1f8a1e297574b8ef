"""What each request gets from the ledger (fabric-wire.md §1.4, §1.7, Appendix A)."""

from __future__ import annotations

import pytest
from fabric_protos.ledger.queryresult.kv_query_result_pb2 import KV, KeyModification
from fabric_protos.ledger.rwset.kvrwset.kv_rwset_pb2 import KVRWSet
from fabric_protos.ledger.rwset.rwset_pb2 import TxReadWriteSet
from fabric_protos.peer.chaincode_shim_pb2 import ChaincodeMessage as Msg
from fabric_protos.peer.chaincode_shim_pb2 import (
    DelState,
    GetHistoryForKey,
    GetQueryResult,
    GetState,
    GetStateByRange,
    GetStateMetadata,
    PurgePrivateState,
    PutState,
    PutStateMetadata,
    QueryMetadata,
    QueryResponse,
    QueryResponseMetadata,
    QueryStateClose,
    QueryStateNext,
    StateMetadata,
    StateMetadataResult,
)
from treadle_peer.chaincode.session import Session, queries
from treadle_peer.execution import CallKind

GARBAGE = b"\xff\xff\xff"


class Chat:
    """A chaincode's conversation within one transaction."""

    def __init__(self, say, call, *, total_query_limit=100_000):
        self._say = say
        self.simulator = call.simulator
        self.session = Session(total_query_limit=total_query_limit)
        self.session.receive(say.register())
        self.session.admit()
        self.session.begin(call, deadline=None)

    def ask(self, kind, payload=b""):
        """The one reply to a request."""
        [effect] = self.session.receive(self._say.message(kind, payload))
        return effect.message

    def value(self, kind, payload=b""):
        """The payload of a RESPONSE."""
        reply = self.ask(kind, payload)
        assert reply.type == Msg.RESPONSE, reply.payload
        assert (reply.txid, reply.channel_id) == ("t1", "ch")
        return reply.payload

    def error(self, kind, payload=b""):
        """The cause of an ERROR."""
        reply = self.ask(kind, payload)
        assert reply.type == Msg.ERROR
        text = reply.payload.decode()
        prefix = f"{Msg.Type.Name(kind)} failed: transaction ID: t1: "
        assert text.startswith(prefix)
        return text.removeprefix(prefix)

    def query(self, kind, payload=b""):
        """A QueryResponse."""
        return QueryResponse.FromString(self.value(kind, payload))

    def range_info(self):
        """The recorded ranges of the read-write set."""
        [namespace] = TxReadWriteSet.FromString(self.simulator.results()).ns_rwset
        return KVRWSet.FromString(namespace.rwset).range_queries_info


def keys(response):
    return [KV.FromString(result.resultBytes).key for result in response.results]


@pytest.fixture
def chat(say, world):
    return Chat(say, world.call())


@pytest.fixture
def big(say, small_world):
    """Over the 250 keys r0000 to r0249."""
    return Chat(say, small_world.call())


def test_a_missing_key_is_an_empty_payload(chat):
    assert chat.value(Msg.GET_STATE, GetState(key="nope")) == b""
    assert chat.value(Msg.GET_STATE, GetState(key="")) == b""


def test_reads_see_the_committed_state_only(say, world):
    world.put({"a": b"1"})
    chat = Chat(say, world.call())
    assert chat.value(Msg.PUT_STATE, PutState(key="a", value=b"2")) == b""
    assert chat.value(Msg.GET_STATE, GetState(key="a")) == b"1"


def test_writes_reach_the_write_set_also_with_an_empty_key(chat):
    chat.value(Msg.PUT_STATE, PutState(key="", value=b"x"))
    chat.value(Msg.DEL_STATE, DelState(key="gone"))
    [namespace] = TxReadWriteSet.FromString(chat.simulator.results()).ns_rwset
    writes = KVRWSet.FromString(namespace.rwset).writes
    assert namespace.namespace == "probe"
    assert [(w.key, w.value, w.is_delete) for w in writes] == [
        ("", b"x", False),
        ("gone", b"", True),
    ]


@pytest.mark.parametrize(
    "kind",
    [
        Msg.GET_STATE,
        Msg.PUT_STATE,
        Msg.DEL_STATE,
        Msg.GET_STATE_BY_RANGE,
        Msg.GET_QUERY_RESULT,
        Msg.QUERY_STATE_NEXT,
        Msg.QUERY_STATE_CLOSE,
        Msg.GET_HISTORY_FOR_KEY,
        Msg.GET_STATE_METADATA,
        Msg.PUT_STATE_METADATA,
        Msg.GET_PRIVATE_DATA_HASH,
        Msg.INVOKE_CHAINCODE,
    ],
)
def test_an_undecodable_payload_is_an_error_in_gos_words(chat, kind):
    assert chat.error(kind, GARBAGE) == (
        "unmarshal failed: proto: cannot parse invalid wire-format data"
    )


def test_metadata_round_trips_through_the_ledger_of_the_next_block(chat):
    entry = StateMetadata(metakey="VALIDATION_PARAMETER", value=b"policy")
    put = PutStateMetadata(key="k", metadata=entry)
    assert chat.value(Msg.PUT_STATE_METADATA, put) == b""
    got = chat.value(Msg.GET_STATE_METADATA, GetStateMetadata(key="k"))
    assert StateMetadataResult.FromString(got) == StateMetadataResult()


def test_metadata_needs_the_capability_before_anything_else(say, world):
    chat = Chat(say, world.call(key_level_endorsement=False))
    for kind in (Msg.GET_STATE_METADATA, Msg.PUT_STATE_METADATA):
        assert chat.error(kind, GARBAGE) == (
            "key level endorsement is not enabled, channel application capability of V1_3 or later"
            " is required"
        )


def test_metadata_without_an_entry_is_an_error(chat):
    assert chat.error(Msg.PUT_STATE_METADATA, PutStateMetadata(key="k")) == (
        "no metadata in the request"
    )


PRIVATE = [
    (Msg.GET_STATE, GetState(key="k", collection="c")),
    (Msg.PUT_STATE, PutState(key="k", value=b"v", collection="c")),
    (Msg.DEL_STATE, DelState(key="k", collection="c")),
    (Msg.GET_STATE_BY_RANGE, GetStateByRange(collection="c")),
    (Msg.GET_QUERY_RESULT, GetQueryResult(query="{}", collection="c")),
    (Msg.GET_STATE_METADATA, GetStateMetadata(key="k", collection="c")),
    (
        Msg.PUT_STATE_METADATA,
        PutStateMetadata(key="k", collection="c", metadata=StateMetadata(metakey="m")),
    ),
    (Msg.GET_PRIVATE_DATA_HASH, GetState(key="k", collection="c")),
    (Msg.PURGE_PRIVATE_DATA, PurgePrivateState(key="k", collection="c")),
]


@pytest.mark.parametrize(("kind", "payload"), PRIVATE)
def test_collections_are_not_defined(say, world, kind, payload):
    chat = Chat(say, world.call(purge_private_data=True))
    assert chat.error(kind, payload) == "collection ch/probe/c could not be found"


@pytest.mark.parametrize(("kind", "payload"), PRIVATE)
def test_private_data_is_out_of_reach_in_init(say, world, kind, payload):
    chat = Chat(say, world.call(kind=CallKind.INIT, purge_private_data=True))
    assert chat.error(kind, payload) == "private data APIs are not allowed in chaincode Init()"


def test_purge_needs_the_capability_and_a_collection(say, world):
    assert Chat(say, world.call()).error(Msg.PURGE_PRIVATE_DATA, GARBAGE) == (
        "purge private data is not enabled, channel application capability of V2_5 or later is "
        "required"
    )
    able = Chat(say, world.call(purge_private_data=True))
    assert able.error(Msg.PURGE_PRIVATE_DATA, PurgePrivateState(key="k")) == (
        "only applicable for private data"
    )


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


def test_a_simulation_that_is_over_answers_with_an_error(chat):
    chat.simulator.results()
    assert chat.error(Msg.GET_STATE, GetState(key="a")) == (
        "this instance should not be used after calling Done()"
    )


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


def test_a_handler_that_breaks_costs_one_error_only(chat, monkeypatch):
    monkeypatch.setattr(chat.simulator, "_set", None, raising=True)
    assert chat.error(Msg.GET_STATE, GetState(key="a")) == "panic during execution"
