"""Transactions that end without an answer of their chaincode (wire §1.6, §1.11, §1.12)."""

from __future__ import annotations

from fabric_protos.peer.chaincode_shim_pb2 import ChaincodeMessage as Msg
from fabric_protos.peer.chaincode_shim_pb2 import GetState, PutState, QueryStateClose
from harness.differential.catalog import conversation
from harness.differential.chaincode import Chaincode
from harness.differential.requests import called, callee, hear_callee, invoke
from harness.differential.talk import Talk


async def works(talk: Talk, chaincode: Chaincode, base: str = "probe") -> None:
    """One more transaction, to show that the stream and the peer live."""
    proposal = talk.proposal(talk.name(base), "one more", channel=await talk.channel())
    async with chaincode.transaction(proposal) as running:
        await running.ask(Msg.GET_STATE, GetState(key="k"))
        await running.complete()


@conversation("timeout", "a transaction without an answer times out, the stream lives", "1.6")
async def timeout(talk: Talk) -> None:
    chaincode = await talk.deployed()
    channel = await talk.channel()
    async with chaincode.transaction(talk.proposal(talk.name(), "go", channel=channel)) as running:
        await running.ask(Msg.PUT_STATE, PutState(key="k", value=b"v"))
    await running.ask(Msg.GET_STATE, GetState(key="late"))
    await running.ask(Msg.INVOKE_CHAINCODE, callee("lscc", "late"))
    await running.complete(payload=b"late")
    await running.fail("later")
    await works(talk, chaincode)


@conversation("timeoutinit", "an Init without an answer fails the deployment", "1.6", "3.6")
async def timeout_of_init(talk: Talk) -> None:
    channel = await talk.channel()
    await talk.quietly_install("probe")
    chaincode = await talk.registered(talk.ccid())
    async with chaincode.transaction(talk.deployment("probe", channel, version="1")) as init:
        pass
    await init.complete()
    await talk.deploy(chaincode, "probe", channel=channel)
    await works(talk, chaincode)


@conversation("timeoutcallee", "a callee without an answer lets the caller time out", "1.6", "1.10")
async def timeout_of_callee(talk: Talk) -> None:
    caller, other = await talk.deployed("caller"), await talk.deployed("other")
    channel = await talk.channel()
    proposal = talk.proposal(talk.name("caller"), "go", channel=channel)
    async with caller.transaction(proposal) as running:
        await invoke(running, talk.name("other"), "work")
        inner = await called(other)
    await hear_callee(running)
    await inner.ask(Msg.GET_STATE, GetState(key="late"))
    await works(talk, caller, "caller")
    await works(talk, other, "other")


@conversation("streamgone", "all transactions of a stream that ends fail", "1.6", "1.11")
async def stream_gone(talk: Talk) -> None:
    chaincode = await talk.deployed()
    channel = await talk.channel()
    first = talk.proposal(talk.name(), "first", channel=channel)
    second = talk.proposal(talk.name(), "second", channel=channel)
    async with chaincode.transaction(first) as one, chaincode.transaction(second):
        await one.ask(Msg.PUT_STATE, PutState(key="k", value=b"v"))
        await chaincode.line.finish()
    await chaincode.line.hear_end()
    await works(talk, await talk.registered(talk.ccid()))


@conversation("streamcut", "transactions of a stream that is cancelled fail", "1.6", "1.11")
async def stream_cut(talk: Talk) -> None:
    chaincode = await talk.deployed()
    channel = await talk.channel()
    async with chaincode.transaction(talk.proposal(talk.name(), "go", channel=channel)):
        chaincode.line.hang_up()


@conversation("violation", "a violation fails what runs on the stream", "1.6", "1.2")
async def violation(talk: Talk) -> None:
    chaincode = await talk.deployed()
    channel = await talk.channel()
    for kind in (12, Msg.RESPONSE, Msg.REGISTERED):
        async with chaincode.transaction(
            talk.proposal(talk.name(), f"{kind}", channel=channel)
        ) as running:
            await running.say(kind)
            await chaincode.line.hear_end()
        chaincode = await talk.registered(talk.ccid())
    await works(talk, chaincode)


@conversation("calleegone", "a caller hears that its callee's stream ended", "1.6", "1.10")
async def callee_gone(talk: Talk) -> None:
    caller, other = await talk.deployed("caller"), await talk.deployed("other")
    channel = await talk.channel()
    proposal = talk.proposal(talk.name("caller"), "go", channel=channel)
    async with caller.transaction(proposal) as running:
        await invoke(running, talk.name("other"), "work")
        await called(other)
        await other.line.finish()
        await hear_callee(running)
        await running.complete()
    await other.line.hear_end()


@conversation("callergone", "a callee whose caller is gone may end its work", "1.6", "1.10")
async def caller_gone(talk: Talk) -> None:
    caller, other = await talk.deployed("caller"), await talk.deployed("other")
    channel = await talk.channel()
    proposal = talk.proposal(talk.name("caller"), "go", channel=channel)
    async with caller.transaction(proposal) as running:
        await invoke(running, talk.name("other"), "work")
        inner = await called(other)
        await caller.line.finish()
    await caller.line.hear_end()
    await inner.complete()
    await works(talk, other, "other")


@conversation("afterwards", "requests of a finished transaction are ERRORs", "1.6", "1.12")
async def afterwards(talk: Talk) -> None:
    chaincode = await talk.deployed()
    channel = await talk.channel()
    async with chaincode.transaction(talk.proposal(talk.name(), "go", channel=channel)) as running:
        await running.complete()
    await running.ask(Msg.GET_STATE, GetState(key="k"))
    await running.ask(Msg.PUT_STATE, PutState(key="k", value=b"v"))
    await running.ask(Msg.QUERY_STATE_CLOSE, QueryStateClose(id="any"))
    await running.ask(Msg.INVOKE_CHAINCODE, callee("lscc", "getchaincodes"))
    await works(talk, chaincode)


@conversation("unasked", "a chaincode gets nothing that it did not ask for", "1.12", "1.11")
async def unasked(talk: Talk) -> None:
    chaincode = await talk.deployed()
    channel = await talk.channel()
    async with chaincode.transaction(talk.proposal(talk.name(), "go", channel=channel)) as running:
        await chaincode.line.say(Msg(type=Msg.KEEPALIVE))
        await chaincode.line.hear_nothing()
        await running.complete()
    await chaincode.line.hear_nothing()


@conversation("shimfailed", "the parting ERROR of a shim without transaction is no harm", "1.12")
async def parting_error(talk: Talk) -> None:
    chaincode = await talk.deployed()
    await chaincode.line.say(Msg(type=Msg.ERROR, payload=b"[] cannot handle message"))
    await chaincode.line.say(Msg(type=Msg.ERROR, txid="t", payload=b"no such stub"))
    await works(talk, chaincode)
