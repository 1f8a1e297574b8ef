"""Several transactions on one stream, and what tells them apart (wire §1.5)."""

from __future__ import annotations

from contextlib import AsyncExitStack

from fabric_protos.peer.chaincode_shim_pb2 import ChaincodeMessage as Msg
from fabric_protos.peer.chaincode_shim_pb2 import GetState, PutState
from harness.differential.catalog import conversation
from harness.differential.requests import called, hear_callee, invoke
from harness.differential.talk import Talk


@conversation("interleaved", "transactions of one stream do not touch each other", "1.5")
async def interleaved(talk: Talk) -> None:
    chaincode = await talk.deployed()
    channel = await talk.channel()
    async with AsyncExitStack() as stack:
        running = []
        for number in range(5):
            proposal = talk.proposal(talk.name(), f"{number}", channel=channel)
            running.append(await stack.enter_async_context(chaincode.transaction(proposal)))
        for turn in range(3):
            for number, each in enumerate(running):
                written = PutState(key=f"{number} {turn}", value=b"v")
                await each.ask(Msg.PUT_STATE, written)
                await each.ask(Msg.GET_STATE, GetState(key=f"{turn}"))
        for each in reversed(running):
            await each.complete(payload=each.call.payload)


@conversation("sametxid", "one transaction id on two channels is two transactions", "1.5")
async def same_id(talk: Talk) -> None:
    chaincode = await talk.deployed()
    one, other = await talk.channel(), await talk.channel("two")
    await talk.deploy(chaincode, "probe", channel=other)
    drafts = [
        talk.draft(talk.name(), where, channel=where, nonce=b"n" * 24) for where in (one, other)
    ]
    async with (
        chaincode.transaction(drafts[0].build()) as first,
        chaincode.transaction(drafts[1].build()) as second,
    ):
        for each, key in ((first, "of one"), (second, "of two"), (first, "both")):
            await each.ask(Msg.PUT_STATE, PutState(key=key, value=b"v"))
        await second.complete(payload=b"two")
        await first.ask(Msg.GET_STATE, GetState(key="k"))
        await second.ask(Msg.GET_STATE, GetState(key="k"))
        await first.complete(payload=b"one")


@conversation("proposedtwice", "a proposal that runs already cannot run once more", "1.5")
async def proposed_twice(talk: Talk) -> None:
    chaincode = await talk.deployed()
    channel = await talk.channel()
    proposal = talk.proposal(talk.name(), "go", channel=channel)
    async with chaincode.transaction(proposal) as running:
        await talk.endorse(proposal)
        await running.ask(Msg.PUT_STATE, PutState(key="k", value=b"v"))
        await running.complete()
    async with chaincode.transaction(proposal) as again:
        await again.complete(payload=b"not committed yet")
    await talk.commit(proposal, running.answer)
    await talk.endorse(proposal)


@conversation("secondrequest", "a request while another is pending is passed over", "1.5", "1.10")
async def second_request(talk: Talk) -> None:
    caller, other = await talk.deployed("caller"), await talk.deployed("other")
    channel = await talk.channel()
    proposal = talk.proposal(talk.name("caller"), "go", channel=channel)
    async with caller.transaction(proposal) as running:
        await invoke(running, talk.name("other"), "work")
        inner = await called(other)
        await running.say(Msg.PUT_STATE, PutState(key="passed over", value=b"v"))
        await invoke(running, talk.name("other"), "more")
        await running.say(Msg.GET_STATE, b"\xff")
        await caller.line.hear_nothing()
        await inner.ask(Msg.PUT_STATE, PutState(key="k", value=b"v"))
        await inner.complete(payload=b"worked")
        await hear_callee(running)
        await running.ask(Msg.GET_STATE, GetState(key="k"))
        await running.complete()


@conversation("selfinvoke", "a chaincode cannot call itself on its own channel", "1.5", "1.10")
async def self_invoke(talk: Talk) -> None:
    chaincode = await talk.deployed()
    channel = await talk.channel()
    async with chaincode.transaction(talk.proposal(talk.name(), "go", channel=channel)) as running:
        for name in (talk.name(), f"{talk.name()}:7", f"{talk.name()}/{channel}"):
            await invoke(running, name, "again")
            await hear_callee(running)
        await running.complete()


@conversation("circle", "a callee that calls its caller back is told that it runs already", "1.5")
async def circle(talk: Talk) -> None:
    first, second = await talk.deployed("first"), await talk.deployed("second")
    channel = await talk.channel()
    proposal = talk.proposal(talk.name("first"), "go", channel=channel)
    async with first.transaction(proposal) as running:
        await invoke(running, talk.name("second"), "on")
        inner = await called(second)
        await invoke(inner, talk.name("first"), "back")
        await hear_callee(inner)
        await inner.complete()
        await hear_callee(running)
        await running.complete()


@conversation("selfelsewhere", "what a chaincode writes on another channel is lost", "1.5", "1.10")
async def self_elsewhere(talk: Talk) -> None:
    chaincode = await talk.deployed()
    one, other = await talk.channel(), await talk.channel("two")
    await talk.deploy(chaincode, "probe", channel=other)
    async with chaincode.transaction(talk.proposal(talk.name(), "go", channel=one)) as running:
        await invoke(running, f"{talk.name()}/{other}", "there")
        inner = await called(chaincode)
        await inner.ask(Msg.PUT_STATE, PutState(key="thrown away", value=b"v"))
        await inner.complete(payload=b"from there")
        await hear_callee(running)
        await running.ask(Msg.PUT_STATE, PutState(key="kept", value=b"v"))
        await running.complete()


@conversation("manyclients", "clients wait for their own transaction only", "1.5")
async def many_clients(talk: Talk) -> None:
    chaincode = await talk.deployed()
    channel = await talk.channel()
    slow = talk.proposal(talk.name(), "slow", channel=channel)
    async with chaincode.transaction(slow) as waiting:
        for number in range(3):
            quick = talk.proposal(talk.name(), f"{number}", channel=channel)
            async with chaincode.transaction(quick) as running:
                await running.complete(payload=b"%d" % number)
        await waiting.complete(payload=b"slow")


@conversation("sameargs", "equal proposals of two signers are two transactions", "1.5")
async def two_signers(talk: Talk) -> None:
    chaincode = await talk.deployed()
    channel = await talk.channel()
    asked = [
        talk.proposal(talk.name(), "go", channel=channel, signer=signer, nonce=b"n" * 24)
        for signer in (talk.cast.client, talk.cast.admin)
    ]
    async with chaincode.transaction(asked[0]) as one, chaincode.transaction(asked[1]) as other:
        await one.complete()
        await other.complete()
