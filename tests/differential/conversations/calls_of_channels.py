"""Calls into other channels, and of system chaincodes (wire §1.10)."""

from __future__ import annotations

from fabric_protos.peer.chaincode_shim_pb2 import ChaincodeMessage as Msg
from fabric_protos.peer.chaincode_shim_pb2 import GetState, PutState
from harness.differential.catalog import conversation
from harness.differential.chaincode import Transaction
from harness.differential.requests import (
    ask_next,
    ask_range,
    called,
    callee,
    fill,
    hear_callee,
    invoke,
    numbered,
)
from harness.differential.talk import Talk


@conversation(
    "callchannel", "on another channel a callee only reads: what it writes is lost", "1.10", "4.6"
)
async def other_channel(talk: Talk) -> None:
    caller, other = await talk.deployed("caller"), await talk.deployed("other", suffix="x")
    channel, elsewhere = await talk.channel(), await talk.channel("x")
    await fill(talk, other, {"a": b"elsewhere"}, base="other", channel=elsewhere)
    proposal = talk.proposal(talk.name("caller"), "go", channel=channel)
    async with caller.transaction(proposal) as transaction:
        await transaction.ask(Msg.PUT_STATE, PutState(key="k", value=b"here"))
        await invoke(transaction, f"{talk.name('other')}:1/{elsewhere}", "go")
        inner = await called(other)
        await inner.ask(Msg.GET_STATE, GetState(key="a"))
        await inner.ask(Msg.PUT_STATE, PutState(key="a", value=b"lost"))
        await inner.complete(payload=b"read")
        await hear_callee(transaction)
        # The callee is not on the caller's own channel.
        await transaction.ask(Msg.INVOKE_CHAINCODE, callee(talk.name("other"), "go"))
        await transaction.complete()
    await talk.commit(proposal, transaction.answer)
    await talk.block(channel, talk.height(channel) - 1)
    again = talk.proposal(talk.name("other"), "again", channel=elsewhere)
    async with other.transaction(again) as transaction:
        await transaction.ask(Msg.GET_STATE, GetState(key="a"))
        await transaction.complete()


@conversation("callselfelsewhere", "a chaincode may call itself on another channel", "1.10", "1.5")
async def self_elsewhere(talk: Talk) -> None:
    chaincode = await talk.deployed()
    channel, elsewhere = await talk.channel(), await talk.channel("x")
    await talk.deploy(chaincode, "probe", channel=elsewhere)
    await fill(talk, chaincode, {"a": b"here"})
    await fill(talk, chaincode, {"a": b"elsewhere"}, channel=elsewhere)
    proposal = talk.proposal(talk.name(), "go", channel=channel)
    async with chaincode.transaction(proposal) as transaction:
        await invoke(transaction, f"{talk.name()}/{elsewhere}", "there")
        inner = await called(chaincode)
        await inner.ask(Msg.GET_STATE, GetState(key="a"))
        # Back on the channel where the first call still runs, and once more there.
        for place in (channel, elsewhere, ""):
            name = f"{talk.name()}/{place}"
            await inner.ask(Msg.INVOKE_CHAINCODE, callee(name, "back"))
        await inner.complete()
        await hear_callee(transaction)
        await transaction.ask(Msg.GET_STATE, GetState(key="a"))
        await transaction.complete()


@conversation(
    "callandback", "called back on the first channel, another chaincode sees no new writes", "1.10"
)
async def there_and_back(talk: Talk) -> None:
    caller, other = await talk.deployed("caller"), await talk.deployed("other", suffix="x")
    third = await talk.deployed("third")
    channel, elsewhere = await talk.channel(), await talk.channel("x")
    proposal = talk.proposal(talk.name("caller"), "go", channel=channel)
    async with caller.transaction(proposal) as transaction:
        await invoke(transaction, f"{talk.name('other')}/{elsewhere}", "there")
        inner = await called(other)
        await invoke(inner, f"{talk.name('third')}/{channel}", "back")
        innermost = await called(third)
        await innermost.ask(Msg.PUT_STATE, PutState(key="a", value=b"lost"))
        await innermost.complete()
        await hear_callee(inner)
        await inner.complete()
        await hear_callee(transaction)
        await transaction.complete()


@conversation("calliterators", "iterators of caller and callee are their own", "1.10", "1.7")
async def iterators(talk: Talk) -> None:
    caller, other = await talk.deployed("caller"), await talk.deployed("other")
    channel = await talk.channel()
    await fill(talk, caller, numbered(102, "c"), base="caller")
    await fill(talk, other, numbered(102, "o"), base="other")
    proposal = talk.proposal(talk.name("caller"), "go", channel=channel)
    async with caller.transaction(proposal) as transaction:
        mine = await ask_range(transaction)
        await invoke(transaction, talk.name("other"), "go")
        inner = await called(other)
        await inner.ask(Msg.QUERY_STATE_NEXT, b"\x0a\x24" + mine.id.encode())
        await ask_next(inner, await ask_range(inner))
        await inner.complete()
        await hear_callee(transaction)
        await ask_next(transaction, mine)
        await transaction.complete()


@conversation("callcscc", "cscc rejects calls by chaincodes, itself", "1.10", "4.7", "A")
async def cscc(talk: Talk) -> None:
    await _system_calls(
        talk,
        ("cscc", "GetChannels"),
        ("cscc", "GetConfigBlock", "{channel}"),
        ("cscc", "no such function"),
        ("cscc",),
        ("cscc:1", "GetChannels"),
        ("cscc/{channel}", "GetChannels"),
    )


@conversation("callqscc", "qscc rejects calls by chaincodes, itself", "1.10", "4.7")
async def qscc(talk: Talk) -> None:
    await _system_calls(
        talk,
        ("qscc",),
        ("qscc", "GetChainInfo"),
        ("qscc", "no such function", "{channel}"),
        ("qscc", "GetChainInfo", "{channel}"),
        ("qscc", "GetBlockByNumber", "{channel}", "99"),
        ("qscc", "GetTransactionByID", "{channel}", "unknown"),
        ("qscc/nowhere", "GetChainInfo", "nowhere"),
    )


@conversation("calllscc", "lscc answers chaincodes; what it reads is in the read set", "1.10")
async def lscc(talk: Talk) -> None:
    await _system_calls(
        talk,
        ("lscc", "getid", "{channel}", "{probe}"),
        ("lscc", "getid", "{channel}", "nobody"),
        ("lscc", "no such function"),
        ("lscc",),
        ("lscc/{channel}", "getid", "{channel}", "{probe}"),
    )


@conversation("calllsccdata", "lscc tells chaincodes of definitions", "1.10")
async def lscc_data(talk: Talk) -> None:
    await _system_calls(talk, ("lscc", "getccdata", "{channel}", "{probe}"))


@conversation("calllsccdeploy", "a chaincode cannot deploy without the arguments", "1.10")
async def lscc_deploy(talk: Talk) -> None:
    await _system_calls(
        talk,
        ("lscc", "install"),
        ("lscc", "install", "no package"),
        ("lscc", "deploy", "{channel}"),
        ("lscc", "deploy", "{channel}", "no specification"),
    )


@conversation("callsystemelsewhere", "system chaincodes of channels that are not there", "1.10")
async def system_elsewhere(talk: Talk) -> None:
    chaincode = await talk.deployed()
    proposal = talk.proposal(talk.name(), "go", channel=await talk.channel())
    async with chaincode.transaction(proposal) as transaction:
        for name in ("qscc/nowhere", "lscc:1/nowhere", "cscc/nowhere"):
            await transaction.ask(Msg.INVOKE_CHAINCODE, callee(name, "GetChannels"))
        await transaction.complete()


@conversation("callsystemother", "lscc on another channel reads there, unrecorded", "1.10")
async def system_on_other_channel(talk: Talk) -> None:
    chaincode = await talk.deployed()
    channel, elsewhere = await talk.channel(), await talk.channel("x")
    proposal = talk.proposal(talk.name(), "go", channel=channel)
    async with chaincode.transaction(proposal) as transaction:
        for asked in (channel, elsewhere):
            await _call(transaction, f"lscc/{elsewhere}", "getid", asked, talk.name())
        await transaction.complete()


async def _system_calls(talk: Talk, *calls: tuple[str, ...]) -> None:
    chaincode = await talk.deployed()
    channel = await talk.channel()
    proposal = talk.proposal(talk.name(), "go", channel=channel)
    async with chaincode.transaction(proposal) as transaction:
        for call in calls:
            name, *args = (part.format(channel=channel, probe=talk.name()) for part in call)
            await _call(transaction, name, *args)
        await transaction.complete()


async def _call(transaction: Transaction, name: str, *args: str) -> None:
    await invoke(transaction, name, *args)
    await hear_callee(transaction)
