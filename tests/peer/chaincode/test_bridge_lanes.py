"""Transactions of a Python server on streams of their own, as one stream towards us."""

from __future__ import annotations

import asyncio

import pytest
from fabric_protos.peer.chaincode_shim_pb2 import ChaincodeMessage as Msg
from treadle_peer.chaincode import StreamLost
from treadle_peer.chaincode.bridge import LanedStream, lanes


class Server:
    """A chaincode server that counts its streams; *python* decides how it registers."""

    def __init__(self, streams, say, *, python):
        self._streams = streams
        self._register = say.register()
        if python:
            self._register.timestamp.GetCurrentTime()
        self.streams = []
        self.released = False
        self.now = 0.0

    async def dial(self):
        stream = self._streams()
        stream.say(self._register)
        self.streams.append(stream)
        return stream

    async def release(self):
        self.released = True

    async def connect(self):
        laned = LanedStream(
            await self.dial(), dial=self.dial, release=self.release, clock=lambda: self.now
        )
        assert (await laned.receive()).type == Msg.REGISTER
        for kind in (Msg.REGISTERED, Msg.READY):
            await laned.send(Msg(type=kind))
        return laned


@pytest.fixture
async def server(stream_type, say, request):
    made = Server(stream_type, say, python=getattr(request, "param", True))
    made.laned = await made.connect()
    yield made
    await made.laned.close()


def start(tx):
    return Msg(type=Msg.TRANSACTION, txid=tx, channel_id="ch")


async def heard(stream):
    return [(m.type, m.txid) for m in stream.heard()]


async def test_each_running_transaction_has_a_greeted_stream_of_its_own(server):
    for tx in ("t1", "t2", "t3"):
        await server.laned.send(start(tx))
    assert len(server.streams) == 3
    for stream, tx in zip(server.streams, ("t1", "t2", "t3"), strict=True):
        greeting = [(Msg.REGISTERED, ""), (Msg.READY, "")]
        assert await heard(stream) == [*greeting, (Msg.TRANSACTION, tx)]


async def test_replies_go_to_the_stream_that_asked(server, say):
    await server.laned.send(start("t1"))
    await server.laned.send(start("t2"))
    for stream in server.streams:
        stream.heard()
    server.streams[1].say(say.message(Msg.GET_STATE, tx="t2"))
    assert (await server.laned.receive()).txid == "t2"
    await server.laned.send(Msg(type=Msg.RESPONSE, txid="t2", channel_id="ch"))
    assert await heard(server.streams[0]) == []
    assert await heard(server.streams[1]) == [(Msg.RESPONSE, "t2")]


@pytest.mark.parametrize("channel", ["ch", ""])
async def test_a_stream_is_used_again_after_its_transaction(server, say, channel):
    await server.laned.send(start("t1"))
    server.streams[0].say(say.message(Msg.ERROR, b"boom", channel=channel))
    assert (await server.laned.receive()).type == Msg.ERROR
    await server.laned.send(start("t2"))
    assert len(server.streams) == 1


@pytest.mark.parametrize("server", [False], indirect=True)
async def test_other_shims_keep_their_single_stream(server):
    for tx in ("t1", "t2", "t3"):
        await server.laned.send(start(tx))
    assert len(server.streams) == 1


async def test_when_all_are_taken_they_are_shared(server, monkeypatch):
    monkeypatch.setattr(lanes, "MOST_LANES", 2)
    for tx in ("t1", "t2", "t3"):
        await server.laned.send(start(tx))
    assert len(server.streams) == 2


async def test_a_stream_that_fell_silent_makes_room(server, say, monkeypatch):
    monkeypatch.setattr(lanes, "MOST_LANES", 2)
    await server.laned.send(start("t1"))
    await server.laned.send(start("t2"))
    server.now = 31.0
    server.streams[1].say(say.message(Msg.GET_STATE, tx="t2"))
    await server.laned.receive()
    await server.laned.send(start("t3"))
    assert server.streams[0].closed.is_set()
    assert (await heard(server.streams[2]))[-1] == (Msg.TRANSACTION, "t3")
    assert not server.released


async def test_the_end_of_one_is_the_end_of_all(server):
    await server.laned.send(start("t1"))
    await server.laned.send(start("t2"))
    server.streams[1].break_off()
    with pytest.raises(StreamLost):
        await server.laned.receive()


async def test_closing_closes_every_stream_and_what_they_share(server):
    await server.laned.send(start("t1"))
    await server.laned.send(start("t2"))
    await server.laned.close()
    assert all(stream.closed.is_set() for stream in server.streams)
    assert server.released
    await asyncio.sleep(0)
