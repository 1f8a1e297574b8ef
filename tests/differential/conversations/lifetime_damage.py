"""Streams that carry what is no message, and clients that do not wait (wire §1.11)."""

from __future__ import annotations

import asyncio
from typing import Any

from fabric_protos.peer.chaincode_shim_pb2 import ChaincodeMessage as Msg
from fabric_protos.peer.chaincode_shim_pb2 import GetState, PutState
from harness.differential.catalog import conversation
from harness.differential.chaincode import Chaincode
from harness.differential.requests import called
from harness.differential.talk import Talk

_METHOD = "/protos.ChaincodeSupport/Register"


def raw_stream(talk: Talk, label: str) -> Chaincode:
    """A stream on which bytes are said as they are."""
    method: Any = talk.links.chaincode.stream_stream(
        _METHOD, request_serializer=_as_bytes, response_deserializer=Msg.FromString
    )
    return Chaincode(talk, talk.line(method(), f"chaincode {label}"))


def _as_bytes(message: Any) -> bytes:
    return message if isinstance(message, bytes) else message.SerializeToString()


@conversation("lifegarbage", "bytes that are no message end the stream", "1.11")
async def garbage(talk: Talk) -> None:
    for bad in (b"\xff\xff\xff", b"\x1a\x7fshort", b"\x22\x01\xff"):
        stream = raw_stream(talk, "garbage")
        await stream.line.say(bad)
        await stream.line.hear_end()


@conversation("lifegarbagelater", "so they do amid a transaction, which ends with it", "1.11")
async def garbage_later(talk: Talk) -> None:
    await talk.quietly_install("probe")
    chaincode = raw_stream(talk, "probe")
    await chaincode.register(talk.ccid())
    await chaincode.line.hear()
    await chaincode.line.hear()
    channel = await talk.channel()
    await talk.deploy(chaincode, "probe", channel=channel)
    proposal = talk.proposal(talk.name(), "go", channel=channel)
    asking = asyncio.create_task(talk.endorse(proposal))
    await called(chaincode)
    await chaincode.line.say(b"\xff\xff\xff")
    await chaincode.line.hear_end()
    await asking


@conversation("lifeempty", "an empty message is of no type that may come", "1.11", "1.2")
async def empty_message(talk: Talk) -> None:
    first = raw_stream(talk, "first")
    await first.line.say(b"")
    await first.line.hear_end()
    chaincode = await talk.deployed()
    await chaincode.line.say(Msg())
    await chaincode.line.hear_end()


@conversation("lifeunknownfields", "fields that nobody knows are passed over", "1.11")
async def unknown_fields(talk: Talk) -> None:
    await talk.quietly_install("probe")
    chaincode = raw_stream(talk, "probe")
    await chaincode.line.say(_with_unknown(Msg(type=Msg.REGISTER, payload=_name(talk))))
    await chaincode.line.hear()
    await chaincode.line.hear()
    channel = await talk.channel()
    await talk.deploy(chaincode, "probe", channel=channel)
    proposal = talk.proposal(talk.name(), "go", channel=channel)
    async with chaincode.transaction(proposal) as transaction:
        wanted = PutState(key="a", value=b"1").SerializeToString() + b"\xf8\x7f\x01"
        await chaincode.line.say(_with_unknown(transaction.message(Msg.PUT_STATE, wanted)))
        await chaincode.line.hear()
        await transaction.complete()


@conversation("lifeclientgone", "what a transaction gets whose client has gone", "1.11", "4.3")
async def client_gone(talk: Talk) -> None:
    chaincode = await talk.deployed()
    channel = await talk.channel()
    proposal = talk.proposal(talk.name(), "go", channel=channel)
    asking = asyncio.create_task(talk.endorse(proposal))
    transaction = await called(chaincode)
    asking.cancel()
    await asyncio.wait([asking])
    await chaincode.line.hear_nothing()  # the peer learns it meanwhile
    await transaction.say(Msg.GET_STATE, GetState(key="a"))
    await chaincode.line.hear()
    await transaction.complete()
    again = talk.proposal(talk.name(), "again", channel=channel)
    async with chaincode.transaction(again) as transaction:
        await transaction.complete(payload=b"well")


def _name(talk: Talk) -> bytes:
    name = talk.ccid().encode()
    return b"\x12" + bytes([len(name)]) + name


def _with_unknown(message: Msg) -> bytes:
    return message.SerializeToString() + b"\xf8\x7f\x01"
