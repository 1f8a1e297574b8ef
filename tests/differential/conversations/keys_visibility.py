"""What a transaction sees of its own writes, of others', and of its read set (wire §1.9, §4.6)."""

from __future__ import annotations

import asyncio

from fabric_protos.peer.chaincode_shim_pb2 import ChaincodeMessage as Msg
from fabric_protos.peer.chaincode_shim_pb2 import (
    DelState,
    GetState,
    GetStateMetadata,
    PutState,
    PutStateMetadata,
    StateMetadata,
)
from harness.differential.catalog import conversation
from harness.differential.chaincode import Transaction
from harness.differential.requests import ask_range, called, fill, hear_callee, invoke
from harness.differential.talk import Talk

METADATA = "protos.StateMetadataResult"


@conversation("ownrange", "ranges see no own write, no own deletion", "1.9", "4.6")
async def own_writes_in_ranges(talk: Talk) -> None:
    chaincode = await talk.deployed()
    await fill(talk, chaincode, dict.fromkeys(["a", "b"], b"old"))
    proposal = talk.proposal(talk.name(), "go", channel=await talk.channel())
    async with chaincode.transaction(proposal) as transaction:
        await transaction.ask(Msg.PUT_STATE, PutState(key="a", value=b"new"))
        await transaction.ask(Msg.PUT_STATE, PutState(key="aa", value=b"new"))
        await transaction.ask(Msg.DEL_STATE, DelState(key="b"))
        await ask_range(transaction)
        for key in ("a", "aa", "b"):
            await transaction.ask(Msg.GET_STATE, GetState(key=key))
        await transaction.complete()


@conversation("ownmetadata", "metadata are not seen before they are committed", "1.9", "4.6")
async def own_metadata(talk: Talk) -> None:
    chaincode = await talk.deployed()
    await fill(talk, chaincode, {"a": b"1"})
    channel = await talk.channel()
    first = talk.proposal(talk.name(), "first", channel=channel)
    async with chaincode.transaction(first) as transaction:
        await _annotate(transaction, "a", "one", b"1")
        await _annotate(transaction, "missing", "one", b"1")
        await transaction.ask(Msg.GET_STATE_METADATA, GetStateMetadata(key="a"), hint=METADATA)
        await transaction.complete()
    await talk.commit(first, transaction.answer)
    second = talk.proposal(talk.name(), "second", channel=channel)
    async with chaincode.transaction(second) as transaction:
        for key in ("a", "missing"):
            wanted = GetStateMetadata(key=key)
            await transaction.ask(Msg.GET_STATE_METADATA, wanted, hint=METADATA)
        await transaction.ask(Msg.GET_STATE, GetState(key="a"))
        await transaction.complete()


@conversation("metadatareplaced", "the last entry given replaces a key's metadata", "4.6")
async def replaced_metadata(talk: Talk) -> None:
    chaincode = await talk.deployed()
    channel = await talk.channel()
    await fill(talk, chaincode, {"a": b"1", "b": b"2", "c": b"3"})
    first = talk.proposal(talk.name(), "first", channel=channel)
    async with chaincode.transaction(first) as transaction:
        await _annotate(transaction, "b", "two", b"2")
        await _annotate(transaction, "a", "one", b"1")
        await _annotate(transaction, "a", "other", b"2")
        await _annotate(transaction, "c", "empty", b"")
        await transaction.complete()
    await talk.commit(first, transaction.answer)
    second = talk.proposal(talk.name(), "second", channel=channel)
    async with chaincode.transaction(second) as transaction:
        await transaction.ask(Msg.PUT_STATE, PutState(key="a", value=b"new"))
        await transaction.ask(Msg.DEL_STATE, DelState(key="b"))
        await _annotate(transaction, "c", "more", b"3")
        await transaction.complete()
    await talk.commit(second, transaction.answer)
    await talk.block(channel, talk.height(channel) - 1)
    third = talk.proposal(talk.name(), "third", channel=channel)
    async with chaincode.transaction(third) as transaction:
        for key in ("a", "b", "c"):
            wanted = GetStateMetadata(key=key)
            await transaction.ask(Msg.GET_STATE_METADATA, wanted, hint=METADATA)
        await transaction.complete()


@conversation("emptyvalue", "writing an empty value deletes", "1.9", "4.6")
async def empty_value(talk: Talk) -> None:
    chaincode = await talk.deployed()
    channel = await talk.channel()
    await fill(talk, chaincode, {"a": b"1", "b": b"2"})
    first = talk.proposal(talk.name(), "first", channel=channel)
    async with chaincode.transaction(first) as transaction:
        await transaction.ask(Msg.PUT_STATE, PutState(key="a", value=b""))
        await transaction.ask(Msg.PUT_STATE, PutState(key="missing", value=b""))
        await transaction.ask(Msg.DEL_STATE, DelState(key="b"))
        await transaction.complete()
    await talk.commit(first, transaction.answer)
    await talk.block(channel, talk.height(channel) - 1)
    second = talk.proposal(talk.name(), "second", channel=channel)
    async with chaincode.transaction(second) as transaction:
        await transaction.ask(Msg.GET_STATE, GetState(key="a"))
        await ask_range(transaction)
        await transaction.complete()


@conversation("lastwrite", "of writes to a key the last stays, of reads one, sorted", "4.6")
async def last_write_wins(talk: Talk) -> None:
    chaincode = await talk.deployed()
    await fill(talk, chaincode, dict.fromkeys(["m", "a"], b"1"))
    proposal = talk.proposal(talk.name(), "go", channel=await talk.channel())
    async with chaincode.transaction(proposal) as transaction:
        for key in ("z", "m", "a", "m", "\0b\0", "Z", "é", "\N{GRINNING FACE}"):
            await transaction.ask(Msg.GET_STATE, GetState(key=key))
            await transaction.ask(Msg.PUT_STATE, PutState(key=key, value=b"first"))
        await transaction.ask(Msg.DEL_STATE, DelState(key="z"))
        await transaction.ask(Msg.DEL_STATE, DelState(key="m"))
        await transaction.ask(Msg.PUT_STATE, PutState(key="m", value=b"again"))
        await transaction.complete()


@conversation("emptyrwset", "a transaction that asks nothing can be ordered, and counts", "4.6")
async def nothing_asked(talk: Talk) -> None:
    chaincode = await talk.deployed()
    channel = await talk.channel()
    proposal = talk.proposal(talk.name(), "go", channel=channel)
    async with chaincode.transaction(proposal) as transaction:
        await transaction.complete()
    await talk.commit(proposal, transaction.answer)
    await talk.block(channel, talk.height(channel) - 1)


@conversation("onlymetadata", "metadata alone can be written, of a missing key too", "4.6", "1.9")
async def metadata_alone(talk: Talk) -> None:
    chaincode = await talk.deployed()
    channel = await talk.channel()
    await fill(talk, chaincode, {"a": b"1"})
    proposal = talk.proposal(talk.name(), "go", channel=channel)
    async with chaincode.transaction(proposal) as transaction:
        await _annotate(transaction, "a", "note", b"1")
        await _annotate(transaction, "missing", "note", b"1")
        await transaction.complete()
    await talk.commit(proposal, transaction.answer)
    await talk.block(channel, talk.height(channel) - 1)
    last = talk.proposal(talk.name(), "last", channel=channel)
    async with chaincode.transaction(last) as transaction:
        # The annotated key has a new version, the missing one still none.
        await transaction.ask(Msg.GET_STATE, GetState(key="a"))
        await transaction.ask(Msg.GET_STATE, GetState(key="missing"))
        await transaction.complete()


@conversation(
    "onestate", "a transaction sees the state at its begin, though a block comes meanwhile", "1.9"
)
async def one_height(talk: Talk) -> None:
    chaincode = await talk.deployed()
    channel = await talk.channel()
    await fill(talk, chaincode, {"a": b"old"})
    write = talk.proposal(talk.name(), "write", channel=channel)
    async with chaincode.transaction(write) as transaction:
        await transaction.ask(Msg.PUT_STATE, PutState(key="a", value=b"new"))
        await transaction.ask(Msg.PUT_STATE, PutState(key="b", value=b"new"))
        await transaction.complete()
    read = talk.proposal(talk.name(), "read", channel=channel)
    async with chaincode.transaction(read) as reading:
        # A real peer keeps the block waiting for this transaction; ours commits it.
        committing = asyncio.ensure_future(talk.commit(write, transaction.answer))
        await asyncio.wait([committing], timeout=0.5)
        await reading.ask(Msg.GET_STATE, GetState(key="a"))
        await ask_range(reading)
        await reading.ask(Msg.PUT_STATE, PutState(key="c", value=b"late"))
        await reading.complete()
    await committing
    await talk.commit(read, reading.answer)
    await talk.block(channel, talk.height(channel) - 1)


@conversation(
    "calleewrites", "a callee on the same channel writes into its own namespace, unseen", "1.9"
)
async def callee_writes(talk: Talk) -> None:
    caller, other = await talk.deployed("caller"), await talk.deployed("Other")
    channel = await talk.channel()
    await fill(talk, other, {"a": b"committed"}, base="Other")
    proposal = talk.proposal(talk.name("caller"), "go", channel=channel)
    async with caller.transaction(proposal) as transaction:
        await transaction.ask(Msg.PUT_STATE, PutState(key="a", value=b"of the caller"))
        for _ in range(2):
            await invoke(transaction, talk.name("Other"), "go")
            inner = await called(other)
            await inner.ask(Msg.GET_STATE, GetState(key="a"))
            await inner.ask(Msg.PUT_STATE, PutState(key="a", value=b"of the callee"))
            await inner.complete()
            await hear_callee(transaction)
        await transaction.ask(Msg.GET_STATE, GetState(key="a"))
        await transaction.complete()
    await talk.commit(proposal, transaction.answer)
    await talk.block(channel, talk.height(channel) - 1)


@conversation(
    "refusedwrites", "a response of 400 or more ends a transaction, its writes are shown", "4.6"
)
async def refused_writes(talk: Talk) -> None:
    chaincode = await talk.deployed()
    channel = await talk.channel()
    for status in (399, 400, 499, 500):
        proposal = talk.proposal(talk.name(), str(status), channel=channel)
        async with chaincode.transaction(proposal) as transaction:
            await transaction.ask(Msg.GET_STATE, GetState(key="a"))
            await transaction.ask(Msg.PUT_STATE, PutState(key="b", value=b"1"))
            await ask_range(transaction)
            await transaction.complete(status, f"status {status}")


async def _annotate(transaction: Transaction, key: str, name: str, value: bytes) -> None:
    entry = StateMetadata(metakey=name, value=value)
    await transaction.ask(Msg.PUT_STATE_METADATA, PutStateMetadata(key=key, metadata=entry))
