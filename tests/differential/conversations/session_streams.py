"""Registering, and which messages a stream may carry in which state (wire §1.2, §1.11)."""

from __future__ import annotations

from fabric_protos.peer.chaincode_pb2 import ChaincodeID
from fabric_protos.peer.chaincode_shim_pb2 import ChaincodeMessage as Msg
from fabric_protos.peer.chaincode_shim_pb2 import GetState
from harness.differential.catalog import conversation
from harness.differential.chaincode import Chaincode
from harness.differential.talk import Talk
from treadle_fabric.wire import serialize

EVERY_TYPE = (*range(27), 99, -1)
NOT_WHEN_READY = (0, 1, 2, 3, 4, 5, 12, 13, 24, 25, 26, 99, -1)


def of_type(kind: int, **fields: object) -> Msg:
    """A message of any type, also of one that Fabric does not define."""
    message = Msg(**fields)  # type: ignore[arg-type]
    message.type = kind
    return message


def registration(name: str, **fields: object) -> Msg:
    """REGISTER as *name*."""
    return Msg(type=Msg.REGISTER, payload=serialize(ChaincodeID(name=name)), **fields)


async def installed(talk: Talk, base: str = "probe") -> str:
    """A name that may register with our peer, too."""
    await talk.quietly_install(base)
    return talk.ccid(base)


async def greeted(chaincode: Chaincode, times: int = 2) -> None:
    """Hear REGISTERED and READY."""
    for _ in range(times):
        await chaincode.line.hear()


@conversation("firsttypes", "a stream that begins with anything but REGISTER ends", "1.2")
async def first_types(talk: Talk) -> None:
    for kind in EVERY_TYPE:
        if kind in (Msg.REGISTER, Msg.KEEPALIVE):
            continue
        stream = talk.stream(f"type {kind}")
        await stream.line.say(of_type(kind, txid="t", channel_id="c", payload=b"p"))
        await stream.line.hear_end()


@conversation("firstlongid", "the text that ends a stream carries the whole transaction id", "1.2")
async def first_with_ids(talk: Talk) -> None:
    for txid in ("", "0123456789abcdef" * 4, "with a blank and \N{SNOWMAN}", "%s %d\n"):
        stream = talk.stream("odd id")
        await stream.line.say(of_type(Msg.GET_STATE, txid=txid))
        await stream.line.hear_end()


@conversation("readytypes", "a registered stream ends on messages that only peers send", "1.2")
async def ready_types(talk: Talk) -> None:
    ccid = await installed(talk)
    for kind in NOT_WHEN_READY:
        stream = talk.stream(f"type {kind}")
        await stream.register(ccid)
        await greeted(stream)
        await stream.line.say(of_type(kind, txid="t", channel_id="c", payload=b"p"))
        await stream.line.hear_end()


@conversation("registerfields", "only the name of a REGISTER counts, its answers are bare", "1.2")
async def register_fields(talk: Talk) -> None:
    ccid = await installed(talk)
    stream = talk.stream()
    message = registration("x", txid="some", channel_id="where")
    message.payload = serialize(ChaincodeID(name=ccid, path="a/path", version="7"))
    message.timestamp.seconds = 1
    await stream.line.say(message)
    await greeted(stream)


@conversation("registerextra", "unknown fields of a REGISTER are passed over", "1.2")
async def register_unknown_fields(talk: Talk) -> None:
    ccid = await installed(talk)
    stream = talk.stream()
    message = registration(ccid)
    message.payload += b"\x80\x01\x07" + b"\x0a\x01p\x0a\x01q"
    await stream.line.say(message)
    await greeted(stream)


@conversation(
    "registerhasty", "a chaincode that does not wait for READY is answered in order", "1.2", "1.4"
)
async def hasty(talk: Talk) -> None:
    ccid = await installed(talk)
    stream = talk.stream()
    await stream.register(ccid)
    await stream.line.say(Msg(type=Msg.KEEPALIVE))
    await stream.line.say(Msg(type=Msg.GET_STATE, txid="early", channel_id="nowhere"))
    await greeted(stream, 3)


@conversation("keepalives", "KEEPALIVE is passed over in every state and never answered", "1.2")
async def keepalives(talk: Talk) -> None:
    ccid = await installed(talk)
    stream = talk.stream()
    await stream.line.say(Msg(type=Msg.KEEPALIVE))
    await stream.line.say(Msg(type=Msg.KEEPALIVE, txid="t", channel_id="c", payload=b"\xff"))
    await stream.register(ccid)
    await greeted(stream)
    await stream.line.say(Msg(type=Msg.KEEPALIVE))
    await stream.line.hear_nothing()
    await stream.line.say(Msg(type=Msg.GET_STATE, txid="t", channel_id="c"))
    await stream.line.hear()


@conversation("registertwice", "a second REGISTER on one stream ends it", "1.2")
async def register_twice(talk: Talk) -> None:
    ccid = await installed(talk)
    stream = talk.stream()
    await stream.register(ccid)
    await greeted(stream)
    await stream.register(ccid)
    await stream.line.hear_end()


@conversation("halfclose", "a chaincode that has nothing more to say hears how it ended", "1.2")
async def half_close(talk: Talk) -> None:
    silent = talk.stream("silent")
    await silent.line.finish()
    await silent.line.hear_end()
    stream = talk.stream("registered")
    await stream.register(await installed(talk))
    await greeted(stream)
    await stream.line.finish()
    await stream.line.hear_end()


@conversation("comesback", "a chaincode whose stream ended registers again and is called", "1.2")
async def comes_back(talk: Talk) -> None:
    first = await talk.deployed()
    channel = await talk.channel()
    await first.line.finish()
    await first.line.hear_end()
    second = talk.stream(talk.ccid())
    await second.register(talk.ccid())
    await greeted(second)
    async with second.transaction(talk.proposal(talk.name(), "go", channel=channel)) as back:
        await back.ask(Msg.GET_STATE, GetState(key="k"))
        await back.complete()


@conversation("violated", "after a violation the same name registers again", "1.2")
async def violated(talk: Talk) -> None:
    ccid = await installed(talk)
    for _ in range(3):
        stream = talk.stream()
        await stream.register(ccid)
        await greeted(stream)
        await stream.line.say(of_type(Msg.READY))
        await stream.line.hear_end()


@conversation("unreadable", "bytes that are no ChaincodeMessage end the stream", "1.2")
async def unreadable(talk: Talk) -> None:
    for raw in (b"\xff", b"\x0a\x05a", b"\x22\x01\xff", b"\x0b"):
        call = talk.links.chaincode.stream_stream(
            "/protos.ChaincodeSupport/Register", response_deserializer=Msg.FromString
        )()
        line = talk.line(call, f"raw {raw.hex()}")
        await line.say(raw)
        await line.hear_end()


@conversation("emptymessage", "an empty message is one of type UNDEFINED", "1.2")
async def empty_message(talk: Talk) -> None:
    stream = talk.stream()
    await stream.line.say(Msg())
    await stream.line.hear_end()
