"""Where Fabric keeps silent and ours speaks: each says in one line what was heard (wire §1.2)."""

from __future__ import annotations

import asyncio
import re

from fabric_protos.peer.chaincode_shim_pb2 import ChaincodeMessage as Msg
from harness.differential.asking import attentive, told
from harness.differential.catalog import conversation
from harness.differential.chaincode import Transaction
from harness.differential.requests import called, callee, invoke
from harness.differential.talk import Talk
from treadle_fabric.wire import serialize

_BY_WHOM = re.compile(r"127\.0\.0\.1:\d+ at \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00")


@conversation("registernameless", "who registers without a name is told, or is not", "1.2", "A")
async def nameless(talk: Talk) -> None:
    streams = []
    for payload in (b"", b"\x12\x00", b"\x0a\x01p", b"\xff", b"\x12\x01\xff"):
        streams.append(attentive(talk, "nameless"))
        await streams[-1].line.say(Msg(type=Msg.REGISTER, payload=payload))
    talk.note("nameless", " | ".join(await asyncio.gather(*map(told, streams))))


@conversation("registerunknown", "who registers before an install waits, or does not", "1.2")
async def unknown(talk: Talk) -> None:
    early = attentive(talk, "early")
    await early.register(talk.ccid())
    before = await told(early)
    talk.note("before the install", before)
    await talk.quietly_install("probe")
    registered = before if before != "silence" else await told(early)
    talk.note("what came at last", registered)
    await early.line.hear()  # READY
    await early.line.hear_nothing()


@conversation("registerduplicate", "the second of a name waits, or takes the place", "1.2", "A")
async def duplicate(talk: Talk) -> None:
    channel = await talk.channel()
    await talk.quietly_install("probe")
    first, second = attentive(talk, "first"), attentive(talk, "second")
    await first.register(talk.ccid())
    await first.line.hear()
    await first.line.hear()
    await talk.deploy(first, "probe", channel=channel)
    await second.register(talk.ccid())
    heard = [await told(second), await told(second), await told(first)]
    if found := _BY_WHOM.search(heard[-1]):
        talk.recording.texts[found[0]] = "<an address> at <a time>"
    talk.note("twice the second, then the first", " | ".join(heard))
    serving = first if heard[-1] == "silence" else second
    asking = asyncio.create_task(talk.endorse(talk.proposal(talk.name(), "go", channel=channel)))
    await Transaction(serving, await serving.line.read(20)).complete(payload=b"served")
    await asking


@conversation("invokeopen", "a caller that ends while its callee works is not written to", "1.12")
async def open_invocation(talk: Talk) -> None:
    channel = await talk.channel()
    await talk.quietly_install("caller")
    caller = attentive(talk, "caller")
    await caller.register(talk.ccid("caller"))
    await caller.line.hear()
    await caller.line.hear()
    await talk.deploy(caller, "caller", channel=channel)
    other = await talk.deployed("other")
    proposal = talk.proposal(talk.name("caller"), "go", channel=channel)
    async with caller.transaction(proposal) as running:
        await invoke(running, talk.name("other"), "work")
        inner = await called(other)
        await running.complete(payload=b"without waiting")
    await inner.complete()
    talk.note("the finished caller", await told(caller))
    async with caller.transaction(
        talk.proposal(talk.name("caller"), "one more", channel=channel)
    ) as more:
        asked = serialize(callee("lscc"))
        await more.say(Msg.INVOKE_CHAINCODE, asked, txid="deadbeef")
        await caller.line.hear()
        await more.complete()


@conversation("errornochannel", "the ERROR of a Python shim lacks the channel, yet counts", "1.12")
async def error_without_channel(talk: Talk) -> None:
    chaincode = await talk.deployed()
    asked = talk.proposal(talk.name(), "go", channel=await talk.channel())
    async with chaincode.transaction(asked) as running:
        await running.say(Msg.ERROR, b"boom", channel_id="")
