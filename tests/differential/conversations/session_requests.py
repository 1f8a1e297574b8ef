"""Every request of a chaincode, and what it gets (wire §1.4)."""

from __future__ import annotations

from fabric_protos.peer.chaincode_shim_pb2 import ChaincodeMessage as Msg
from fabric_protos.peer.chaincode_shim_pb2 import (
    GetQueryResult,
    GetState,
    GetStateByRange,
)
from harness.differential.catalog import conversation
from harness.differential.requests import ask_range, callee
from harness.differential.talk import Talk
from treadle_fabric.wire import serialize

REQUESTS = (8, 9, 10, 11, 14, 15, 16, 17, 19, 20, 21, 22, 23)
RUBBISH = (
    b"\xff",
    b"\x00",
    b"\x0f",
    b"\x0a\x05a",
    b"\x0b",
    b"\x0c",
    b"\x0b\x0c",
    b"\x0a\x01\xff",
    b"\x0a\x02\xc3",
    b"\x0a\x81",
    b"\x0a" + b"\xff" * 9 + b"\x7f",
    b"\x0a\x03\xed\xa0\x80",
    b"\x12\x01\xff\x0a\x05a",
    b"\x0a\x05a\x12\x01\xff",
)


def message(kind: int, payload: bytes = b"", *, txid: str, channel: str) -> Msg:
    """A request of any type."""
    made = Msg(payload=payload, txid=txid, channel_id=channel)
    made.type = kind
    return made


@conversation("unknownids", "requests of unknown transactions are ERRORs that say so", "1.4", "A")
async def unknown_ids(talk: Talk) -> None:
    chaincode = await talk.deployed()
    channel = await talk.channel()
    for where in (channel, "", "elsewhere"):
        for kind in REQUESTS:
            payload = serialize(callee("lscc")) if kind == Msg.INVOKE_CHAINCODE else b""
            await chaincode.line.say(message(kind, payload, txid="deadbeef", channel=where))
            await chaincode.line.hear()


@conversation("unknowncallers", "an INVOKE without channel is refused by what it names", "1.4")
async def unknown_callers(talk: Talk) -> None:
    chaincode = await talk.deployed()
    for name in ("lscc", "qscc:1/c", "other", "other/channel", "_lifecycle", "vscc", "escc", ""):
        asked = message(Msg.INVOKE_CHAINCODE, serialize(callee(name)), txid="t", channel="")
        await chaincode.line.say(asked)
        await chaincode.line.hear()
    await chaincode.line.say(message(Msg.INVOKE_CHAINCODE, b"\xff", txid="t", channel=""))
    await chaincode.line.hear()


@conversation(
    "wrongchannel", "a running transaction is known on its own channel only", "1.4", "1.5"
)
async def wrong_channel(talk: Talk) -> None:
    chaincode = await talk.deployed()
    channel = await talk.channel()
    async with chaincode.transaction(talk.proposal(talk.name(), "go", channel=channel)) as running:
        for where in ("", "elsewhere", f"{channel} "):
            await running.say(Msg.GET_STATE, GetState(key="k"), channel_id=where)
            await chaincode.line.hear()
        for txid in (running.call.txid[:-1], running.call.txid.upper(), ""):
            await running.say(Msg.GET_STATE, GetState(key="k"), txid=txid)
            await chaincode.line.hear()
        await running.complete()


@conversation("rubbish", "payloads that cannot be decoded are ERRORs, and the stream lives", "1.4")
async def rubbish(talk: Talk) -> None:
    chaincode = await talk.deployed()
    channel = await talk.channel()
    async with chaincode.transaction(talk.proposal(talk.name(), "go", channel=channel)) as running:
        for payload in RUBBISH:
            await running.ask(Msg.GET_STATE, payload)
        await running.complete()


@conversation("rubbishlarge", "70 kB of what is no text are told from what is no message", "1.4")
async def large_rubbish(talk: Talk) -> None:
    chaincode = await talk.deployed()
    channel = await talk.channel()
    async with chaincode.transaction(talk.proposal(talk.name(), "go", channel=channel)) as running:
        long = b"\xf0\xa2\x04" + b"a" * 69_999 + b"\xff"  # behind its size, 70,000
        await running.ask(Msg.GET_STATE, b"\x0a" + long)
        await running.ask(Msg.GET_STATE, b"\x0a" + long + b"\x0a\x05a")
        await running.ask(Msg.INVOKE_CHAINCODE, b"\x12\xf4\xa2\x04\x0a" + long)
        await running.say(Msg.COMPLETED, b"\x12" + long)


@conversation("rubbisheach", "every request decodes its payload", "1.4")
async def rubbish_for_each(talk: Talk) -> None:
    chaincode = await talk.deployed()
    channel = await talk.channel()
    async with chaincode.transaction(talk.proposal(talk.name(), "go", channel=channel)) as running:
        for kind in REQUESTS:
            await running.ask(kind, b"\xff")
            await running.ask(kind, b"\x0a\x05a")
        await running.complete()


@conversation("rubbishpages", "unreadable page metadata is an ERROR of the request", "1.4")
async def rubbish_pages(talk: Talk) -> None:
    chaincode = await talk.deployed()
    channel = await talk.channel()
    async with chaincode.transaction(talk.proposal(talk.name(), "go", channel=channel)) as running:
        for metadata in (b"\xff", b"\x12\x01\xff"):
            await running.ask(Msg.GET_STATE_BY_RANGE, GetStateByRange(metadata=metadata))
            await running.ask(Msg.GET_QUERY_RESULT, GetQueryResult(metadata=metadata))
        await running.complete()


@conversation("wrongwires", "fields of another wire type count as unknown", "1.4")
async def wrong_wire_types(talk: Talk) -> None:
    chaincode = await talk.deployed()
    channel = await talk.channel()
    async with chaincode.transaction(talk.proposal(talk.name(), "go", channel=channel)) as running:
        await running.ask(Msg.PUT_STATE, b"\x08\x01\x12\x01v")
        await running.ask(Msg.PUT_STATE, b"\x0a\x01k\x10\x05")
        await running.ask(Msg.PUT_STATE, b"\x0a\x01k\x0a\x01j\x12\x01v\x12\x01w\x80\x01\x07")
        await running.ask(Msg.DEL_STATE, b"\x0d\x01\x02\x03\x04\x0a\x01x")
        await running.complete()


@conversation("emptypayloads", "an empty payload is a request with nothing in it", "1.4")
async def empty_payloads(talk: Talk) -> None:
    chaincode = await talk.deployed()
    channel = await talk.channel()
    reads = (Msg.GET_STATE, Msg.GET_QUERY_RESULT, Msg.GET_STATE_METADATA, Msg.QUERY_STATE_NEXT)
    writes = (Msg.DEL_STATE, Msg.PUT_STATE, Msg.PURGE_PRIVATE_DATA, Msg.QUERY_STATE_CLOSE)
    async with chaincode.transaction(talk.proposal(talk.name(), "go", channel=channel)) as running:
        await ask_range(running)
        for kind in (*reads, *writes):
            await running.ask(kind)
        await running.complete()


@conversation("echoes", "an answer has its request's ids and nothing else", "1.4", "1.12")
async def echoes(talk: Talk) -> None:
    chaincode = await talk.deployed()
    channel = await talk.channel()
    async with chaincode.transaction(talk.proposal(talk.name(), "go", channel=channel)) as running:
        asked = running.message(Msg.GET_STATE, GetState(key="k"))
        asked.timestamp.seconds = 5
        asked.proposal.signature = b"s"
        asked.chaincode_event.event_name = "e"
        await chaincode.line.say(asked)
        await chaincode.line.hear()
        await running.complete()
