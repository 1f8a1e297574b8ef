"""History queries (wire §1.4, §1.7)."""

from __future__ import annotations

from fabric_protos.peer.chaincode_shim_pb2 import ChaincodeMessage as Msg
from fabric_protos.peer.chaincode_shim_pb2 import (
    GetState,
    PutState,
    PutStateMetadata,
    StateMetadata,
)
from harness.differential.catalog import conversation
from harness.differential.requests import (
    ask_history,
    ask_next_history,
    called,
    fill,
    hear_callee,
    invoke,
)
from harness.differential.talk import Talk


@conversation(
    "history", "a key's history: newest first, deletions among them, not in the read set", "1.7"
)
async def newest_first(talk: Talk) -> None:
    chaincode = await talk.deployed()
    for value in (b"1", b"2", b"", b"3"):
        await fill(talk, chaincode, {"a": value, "other": b"x"})
    proposal = talk.proposal(talk.name(), "go", channel=await talk.channel())
    async with chaincode.transaction(proposal) as transaction:
        await ask_history(transaction, "a")
        await ask_history(transaction, "nowhere")
        await ask_history(transaction, "")
        await transaction.complete()


@conversation("historyofwrites", "history has no writes of the running transaction", "1.7", "1.9")
async def own_writes(talk: Talk) -> None:
    chaincode = await talk.deployed()
    await fill(talk, chaincode, {"a": b"1"})
    proposal = talk.proposal(talk.name(), "go", channel=await talk.channel())
    async with chaincode.transaction(proposal) as transaction:
        await transaction.ask(Msg.PUT_STATE, PutState(key="a", value=b"2"))
        await ask_history(transaction, "a")
        await transaction.complete()


@conversation("historyoddkeys", "histories of keys that begin alike stay apart", "1.7", "1.8")
async def odd_keys(talk: Talk) -> None:
    chaincode = await talk.deployed()
    keys = ("", "a", "a\0", "a\0b", "ab", "\0a\0", "\U0010ffff", "a\0\0\0\1")
    for value in (b"1", b"2"):
        await fill(talk, chaincode, dict.fromkeys(keys, value))
    proposal = talk.proposal(talk.name(), "go", channel=await talk.channel())
    async with chaincode.transaction(proposal) as transaction:
        for key in keys:
            await ask_history(transaction, key)
        await transaction.complete()


@conversation(
    "historyinvalid", "history knows valid transactions only, and values only", "1.7", "4.6"
)
async def valid_values(talk: Talk) -> None:
    chaincode = await talk.deployed()
    channel = await talk.channel()
    await fill(talk, chaincode, {"a": b"1"})
    endorsed = []
    for value in (b"2", b"conflicting"):
        proposal = talk.proposal(talk.name(), value, channel=channel)
        async with chaincode.transaction(proposal) as transaction:
            await transaction.ask(Msg.GET_STATE, GetState(key="a"))
            await transaction.ask(Msg.PUT_STATE, PutState(key="a", value=value))
            await transaction.complete()
        endorsed.append((proposal, transaction.answer))
    for proposal, answer in endorsed:
        await talk.commit(proposal, answer)
    noted = talk.proposal(talk.name(), "noted", channel=channel)
    async with chaincode.transaction(noted) as transaction:
        entry = StateMetadata(metakey="note", value=b"1")
        await transaction.ask(Msg.PUT_STATE_METADATA, PutStateMetadata(key="a", metadata=entry))
        await transaction.complete()
    await talk.commit(noted, transaction.answer)
    await talk.block(channel, talk.height(channel) - 1)
    last = talk.proposal(talk.name(), "last", channel=channel)
    async with chaincode.transaction(last) as transaction:
        await ask_history(transaction, "a")
        await transaction.complete()


@conversation("historybatches", "105 changes of a key come as 100 and 5", "1.7")
async def many_changes(talk: Talk) -> None:
    chaincode = await talk.deployed()
    for number in range(105):
        await fill(talk, chaincode, {"a": str(number).encode()})
    proposal = talk.proposal(talk.name(), "go", channel=await talk.channel())
    async with chaincode.transaction(proposal) as transaction:
        await ask_next_history(transaction, await ask_history(transaction, "a"))
        await transaction.complete()


@conversation(
    "historyofcallee", "history belongs to a chaincode and a channel: a callee's own", "1.7", "1.10"
)
async def by_namespace_and_channel(talk: Talk) -> None:
    caller, other = await talk.deployed("caller"), await talk.deployed("other")
    channel, elsewhere = await talk.channel(), await talk.channel("x")
    await talk.deploy(other, "other", channel=elsewhere)
    await fill(talk, caller, {"a": b"the caller's"}, base="caller")
    await fill(talk, other, {"a": b"the other's"}, base="other")
    await fill(talk, other, {"a": b"elsewhere"}, base="other", channel=elsewhere)
    proposal = talk.proposal(talk.name("caller"), "go", channel=channel)
    async with caller.transaction(proposal) as transaction:
        await ask_history(transaction, "a")
        for target in (talk.name("other"), f"{talk.name('other')}/{elsewhere}"):
            await invoke(transaction, target, "history")
            inner = await called(other)
            await ask_history(inner, "a")
            await inner.complete()
            await hear_callee(transaction)
        await transaction.complete()
