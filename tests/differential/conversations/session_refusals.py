"""Where Fabric keeps silent and ours speaks: each says in one line what was heard (wire §1.2)."""

from __future__ import annotations

import asyncio

from fabric_protos.peer.chaincode_shim_pb2 import ChaincodeMessage as Msg
from harness.differential.catalog import conversation
from harness.differential.chaincode import Chaincode
from harness.differential.requests import called, callee, invoke
from harness.differential.talk import Talk
from treadle_fabric.wire import serialize

# What one of the peers says must not come too late on a busy machine.
_SECONDS = 2.0


async def heard(chaincode: Chaincode) -> str:
    """What comes next: a type, ``end`` or ``silence``; unrecorded."""
    try:
        message = await chaincode.line.read(_SECONDS)
    except TimeoutError:
        return "silence"
    return "end" if message is None else Msg.Type.Name(message.type)


@conversation("registernameless", "who registers without a name is told, or is not", "1.2", "A")
async def nameless(talk: Talk) -> None:
    streams = []
    for payload in (b"", b"\x12\x00", b"\x0a\x01p", b"\xff", b"\x12\x01\xff"):
        streams.append(talk.stream())
        await streams[-1].line.say(Msg(type=Msg.REGISTER, payload=payload))
    found = await asyncio.gather(*map(heard, streams))
    talk.note("nameless", ", ".join(found))


@conversation("registerunknown", "who registers before an install waits, or does not", "1.2")
async def unknown(talk: Talk) -> None:
    stream = talk.stream()
    await stream.register(talk.ccid())
    found = [await heard(stream)]
    await talk.quietly_install("probe")
    found += [await heard(stream), await heard(stream)]
    talk.note("before, then twice after the install", ", ".join(found))


@conversation("registerduplicate", "the second of a name waits, or takes the place", "1.2", "A")
async def duplicate(talk: Talk) -> None:
    first = await talk.deployed()
    second = talk.stream()
    await second.register(talk.ccid())
    found = [await heard(second), await heard(second), await heard(first)]
    talk.note("twice the second, then the first", ", ".join(found))


@conversation("invokeopen", "a caller that ends while its callee works is not written to", "1.12")
async def open_invocation(talk: Talk) -> None:
    caller, other = await talk.deployed("caller"), await talk.deployed("other")
    channel = await talk.channel()
    proposal = talk.proposal(talk.name("caller"), "go", channel=channel)
    async with caller.transaction(proposal) as running:
        await invoke(running, talk.name("other"), "work")
        inner = await called(other)
        await running.complete(payload=b"without waiting")
    await inner.complete()
    talk.note("the finished caller", await heard(caller))
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
    channel = await talk.channel()
    asked = talk.proposal(talk.name(), "go", channel=channel)
    calling = talk.links.endorser.ProcessProposal(asked.signed, timeout=30)
    running = await called(chaincode)
    await running.say(Msg.ERROR, b"boom", channel_id="")
    talk.note("the client", (await calling).response.message)
