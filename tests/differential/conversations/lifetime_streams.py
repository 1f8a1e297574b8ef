"""How streams of chaincodes begin and end, and what becomes of transactions (wire §1.11)."""

from __future__ import annotations

import asyncio

from fabric_protos.peer.chaincode_shim_pb2 import ChaincodeMessage as Msg
from fabric_protos.peer.chaincode_shim_pb2 import GetState, PutState
from harness.differential.catalog import conversation
from harness.differential.chaincode import Chaincode
from harness.differential.requests import called, fill, hear_callee, invoke
from harness.differential.talk import Talk


@conversation("lifequiet", "a chaincode that says goodbye before anything else", "1.11")
async def goodbye_first(talk: Talk) -> None:
    stream = talk.stream("silent")
    await stream.line.finish()
    await stream.line.hear_end()


@conversation("lifegoodbye", "a registered chaincode that says goodbye", "1.11")
async def goodbye(talk: Talk) -> None:
    chaincode = await talk.deployed()
    await chaincode.line.finish()
    await chaincode.line.hear_end()


@conversation("lifeagain", "after a goodbye the same name registers anew and serves", "1.11")
async def registered_again(talk: Talk) -> None:
    first = await talk.deployed()
    await fill(talk, first, {"a": b"1"})
    await first.line.finish()
    await first.line.hear_end()
    second = await _registered(talk, "probe")
    proposal = talk.proposal(talk.name(), "go", channel=await talk.channel())
    async with second.transaction(proposal) as transaction:
        await transaction.ask(Msg.GET_STATE, GetState(key="a"))
        await transaction.complete()


@conversation("lifeinflight", "a goodbye ends what is in flight, on every channel", "1.11", "1.6")
async def in_flight(talk: Talk) -> None:
    chaincode = await talk.deployed()
    channels = [await talk.channel(), await talk.channel("x")]
    await talk.deploy(chaincode, "probe", channel=channels[1])
    asking = []
    for number, channel in enumerate(channels):
        proposal = talk.proposal(talk.name(), str(number), channel=channel)
        asking.append(asyncio.create_task(talk.endorse(proposal)))
        await chaincode.called()
    await chaincode.line.finish()
    await chaincode.line.hear_end()
    await asyncio.gather(*asking)


@conversation("lifecut", "a connection that breaks ends what is in flight", "1.11", "1.6")
async def cut(talk: Talk) -> None:
    chaincode = await talk.deployed()
    proposal = talk.proposal(talk.name(), "go", channel=await talk.channel())
    asking = asyncio.create_task(talk.endorse(proposal))
    await chaincode.called()
    chaincode.line.hang_up()
    await asking


@conversation("lifecallee", "a callee that goes fails the call, not its caller", "1.11", "1.10")
async def callee_goes(talk: Talk) -> None:
    caller, other = await talk.deployed("caller"), await talk.deployed("other")
    proposal = talk.proposal(talk.name("caller"), "go", channel=await talk.channel())
    async with caller.transaction(proposal) as transaction:
        await invoke(transaction, talk.name("other"), "go")
        inner = await called(other)
        await inner.ask(Msg.PUT_STATE, PutState(key="a", value=b"stays"))
        await other.line.finish()
        await other.line.hear_end()
        await hear_callee(transaction)
        await transaction.ask(Msg.PUT_STATE, PutState(key="b", value=b"1"))
        await transaction.complete()


@conversation("lifecaller", "when a caller goes, its callee's transaction is over", "1.11", "1.10")
async def caller_goes(talk: Talk) -> None:
    caller, other = await talk.deployed("caller"), await talk.deployed("other")
    proposal = talk.proposal(talk.name("caller"), "go", channel=await talk.channel())
    asking = asyncio.create_task(talk.endorse(proposal))
    transaction = await called(caller)
    await invoke(transaction, talk.name("other"), "go")
    inner = await called(other)
    await caller.line.finish()
    await caller.line.hear_end()
    await asking
    await inner.complete()
    # The callee is as good as before.
    again = talk.proposal(talk.name("other"), "again", channel=await talk.channel())
    async with other.transaction(again) as transaction:
        await transaction.complete(payload=b"well")


@conversation("lifeneighbours", "one chaincode's end is nobody else's", "1.11")
async def neighbours(talk: Talk) -> None:
    one, other = await talk.deployed("one"), await talk.deployed("other")
    channel = await talk.channel()
    proposal = talk.proposal(talk.name("other"), "go", channel=channel)
    async with other.transaction(proposal) as transaction:
        await one.line.finish()
        await one.line.hear_end()
        await transaction.ask(Msg.GET_STATE, GetState(key="a"))
        await transaction.complete()


@conversation("lifeversions", "an old version's end leaves the new one alone", "1.11", "3.6")
async def versions(talk: Talk) -> None:
    old = await talk.deployed()
    channel = await talk.channel()
    await talk.quietly_install("probe", "2")
    new = await talk.registered(talk.ccid("probe", "2"))
    await talk.deploy(new, "probe", channel=channel, version="2", verb="upgrade")
    await old.line.finish()
    await old.line.hear_end()
    proposal = talk.proposal(talk.name(), "go", channel=channel)
    async with new.transaction(proposal) as transaction:
        await transaction.complete(payload=b"version 2")


@conversation("lifekeepalive", "KEEPALIVE is ignored, wherever it comes", "1.11", "1.2")
async def keepalive(talk: Talk) -> None:
    await talk.quietly_install("probe")
    chaincode = talk.stream("probe")
    await chaincode.line.say(Msg(type=Msg.KEEPALIVE))
    await chaincode.register(talk.ccid())
    await chaincode.line.hear()
    await chaincode.line.hear()
    await chaincode.line.say(Msg(type=Msg.KEEPALIVE, payload=b"\xff", txid="x", channel_id="y"))
    channel = await talk.channel()
    await talk.deploy(chaincode, "probe", channel=channel)
    proposal = talk.proposal(talk.name(), "go", channel=channel)
    async with chaincode.transaction(proposal) as transaction:
        await transaction.say(Msg.KEEPALIVE)
        await transaction.ask(Msg.GET_STATE, GetState(key="a"))
        await transaction.complete()


@conversation("lifetwelve", "a message of no type ends stream and transactions", "1.11", "1.2", "A")
async def message_of_no_type(talk: Talk) -> None:
    chaincode = await talk.deployed()
    proposal = talk.proposal(talk.name(), "go", channel=await talk.channel())
    asking = asyncio.create_task(talk.endorse(proposal))
    transaction = await called(chaincode)
    await transaction.say(12)
    await chaincode.line.hear_end()
    await asking


@conversation("lifefirst", "what comes before REGISTER ends the stream", "1.11", "1.2", "A")
async def wrong_beginnings(talk: Talk) -> None:
    for kind in (Msg.GET_STATE, Msg.READY, Msg.COMPLETED, Msg.ERROR, 12, 99):
        stream = talk.stream("wrong")
        message = Msg(txid="t")
        message.type = kind
        await stream.line.say(message)
        await stream.line.hear_end()


@conversation("lifelate", "an answer that comes too late is ignored, the stream lives", "1.11", "A")
async def too_late(talk: Talk) -> None:
    chaincode = await talk.deployed()
    channel = await talk.channel()
    proposal = talk.proposal(talk.name(), "go", channel=channel)
    asking = asyncio.create_task(talk.endorse(proposal))
    transaction = await called(chaincode)
    await asking
    await transaction.ask(Msg.GET_STATE, GetState(key="a"))
    await transaction.complete()
    again = talk.proposal(talk.name(), "again", channel=channel)
    async with chaincode.transaction(again) as transaction:
        await transaction.complete(payload=b"well")


@conversation("lifelatecallee", "a callee that takes too long fails its call", "1.11", "1.10")
async def callee_too_late(talk: Talk) -> None:
    caller, other = await talk.deployed("caller"), await talk.deployed("other")
    channel = await talk.channel()
    proposal = talk.proposal(talk.name("caller"), "go", channel=channel)
    asking = asyncio.create_task(talk.endorse(proposal))
    transaction = await called(caller)
    await invoke(transaction, talk.name("other"), "go")
    await called(other)
    # The caller's own time is over first: its client gets the failure, and then its chaincode
    # hears that of the call.
    await asking
    await caller.line.hear()


async def _registered(talk: Talk, base: str) -> Chaincode:
    """Register, recorded."""
    chaincode = talk.stream(base)
    await chaincode.register(talk.ccid(base))
    await chaincode.line.hear()
    await chaincode.line.hear()
    return chaincode
