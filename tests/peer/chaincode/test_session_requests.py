"""What each request gets from the ledger (fabric-wire.md §1.4, §1.7, Appendix A)."""

from __future__ import annotations

import pytest
from fabric_protos.ledger.rwset.kvrwset.kv_rwset_pb2 import KVRWSet
from fabric_protos.ledger.rwset.rwset_pb2 import TxReadWriteSet
from fabric_protos.peer.chaincode_shim_pb2 import ChaincodeMessage as Msg
from fabric_protos.peer.chaincode_shim_pb2 import (
    DelState,
    GetQueryResult,
    GetState,
    GetStateByRange,
    GetStateMetadata,
    PurgePrivateState,
    PutState,
    PutStateMetadata,
    StateMetadata,
    StateMetadataResult,
)
from harness.chaincode_talk import Chat
from treadle_peer.execution import CallKind

GARBAGE = b"\xff\xff\xff"


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
    (Msg.PURGE_PRIVATE_DATA, PurgePrivateState(key="k", collection="c")),
]


@pytest.mark.parametrize(("kind", "payload"), PRIVATE)
def test_collections_are_not_defined(say, world, kind, payload):
    chat = Chat(say, world.call(purge_private_data=True))
    assert chat.error(kind, payload) == "collection ch/probe/c could not be found"


def test_a_hash_of_private_data_needs_a_chaincode_with_collections(chat):
    assert chat.error(Msg.GET_PRIVATE_DATA_HASH, GetState(key="k", collection="c")) == (
        "collection config not defined for chaincode [probe], pass the collection configuration"
        " upon chaincode definition/instantiation"
    )


def test_a_refused_collection_leaves_its_lookup_in_the_results(chat):
    chat.error(Msg.GET_STATE, GetState(key="k", collection="c"))
    found = TxReadWriteSet.FromString(chat.simulator.results()).ns_rwset
    reads = {each.namespace: KVRWSet.FromString(each.rwset).reads for each in found}
    assert {name: [read.key for read in reads[name]] for name in reads} == {
        "_lifecycle": ["namespaces/metadata/probe"],
        "lscc": ["probe", "probe~collection"],
    }


HASH = (Msg.GET_PRIVATE_DATA_HASH, GetState(key="k", collection="c"))


@pytest.mark.parametrize(("kind", "payload"), [*PRIVATE, HASH])
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


def test_a_simulation_that_is_over_answers_with_an_error(chat):
    chat.simulator.results()
    assert chat.error(Msg.GET_STATE, GetState(key="a")) == (
        "this instance should not be used after calling Done()"
    )


def test_a_handler_that_breaks_costs_one_error_only(chat, monkeypatch):
    monkeypatch.setattr(chat.simulator, "_set", None, raising=True)
    assert chat.error(Msg.GET_STATE, GetState(key="a")) == "panic during execution"
