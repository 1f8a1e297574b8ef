"""The bridge between streams in memory: peers come and go, the shim's stream stays."""

from __future__ import annotations

import asyncio

import pytest
from fabric_protos.peer.chaincode_pb2 import ChaincodeID
from fabric_protos.peer.chaincode_shim_pb2 import ChaincodeMessage as Msg
from treadle_peer.chaincode import Ending, StreamEnded, StreamLost
from treadle_peer.chaincode.bridge import Backoff, Bridge

START = Msg(type=Msg.TRANSACTION, txid="t1", channel_id="ch")


class Ends:
    """Hands out the far ends of what the bridge dials."""

    def __init__(self, streams):
        self._streams = streams
        self._dialled = asyncio.Queue()
        self.refusals = []

    async def dial(self):
        if self.refusals:
            raise self.refusals.pop()
        stream = self._streams()
        self._dialled.put_nowait(stream)
        return stream

    async def next(self):
        async with asyncio.timeout(10):
            return await self._dialled.get()


@pytest.fixture
async def peers(stream_type):
    return Ends(stream_type)


@pytest.fixture
async def bridge(peers):
    records = []
    made = Bridge(
        peers={"peer": peers.dial},
        on_transaction=records.append,
        backoff=lambda: Backoff(first=0.001, longest=0.001),
    )
    made.records = records
    return made


@pytest.fixture
async def shim(bridge, stream_type):
    """A chaincode's stream that the bridge serves; ``task`` is that serving."""
    stream = stream_type()
    stream.task = asyncio.create_task(bridge.serve(stream))
    yield stream
    stream.task.cancel()
    await asyncio.gather(stream.task, return_exceptions=True)


async def greet(peer):
    assert (await peer.hear()).type == Msg.REGISTER
    peer.say(Msg(type=Msg.REGISTERED), Msg(type=Msg.READY))


async def connect(shim, peers, say):
    shim.say(say.register("probe:1"))
    peer = await peers.next()
    await greet(peer)
    assert [(await shim.hear()).type for _ in range(2)] == [Msg.REGISTERED, Msg.READY]
    return peer


async def test_messages_pass_both_ways(shim, peers, bridge, say):
    peer = await connect(shim, peers, say)
    peer.say(START)
    assert await shim.hear() == START
    shim.say(say.message(Msg.GET_STATE))
    assert (await peer.hear()).type == Msg.GET_STATE
    peer.say(say.message(Msg.RESPONSE, b"value"))
    assert (await shim.hear()).payload == b"value"
    shim.say(say.completed())
    assert (await peer.hear()).type == Msg.COMPLETED
    [record] = bridge.records
    assert (record.tx_id, record.requests) == ("t1", {"GET_STATE": 1})


async def test_the_shims_stream_outlives_a_lost_peer(shim, peers, say):
    first = await connect(shim, peers, say)
    first.say(START)
    await shim.hear()
    shim.say(say.message(Msg.GET_STATE))
    await first.hear()
    first.break_off()
    assert (await shim.hear()).type == Msg.ERROR
    second = await peers.next()
    assert ChaincodeID.FromString((await second.hear()).payload).name == "probe:1"
    second.say(Msg(type=Msg.REGISTERED), Msg(type=Msg.READY), Msg(type=Msg.INIT, txid="t2"))
    assert (await shim.hear()).txid == "t2"
    assert first.closed.is_set()


@pytest.mark.parametrize("end", ["hang_up", "break_off"])
async def test_a_peer_that_stops_is_dialled_again(shim, peers, say, end):
    first = await connect(shim, peers, say)
    peers.refusals = [StreamLost("connection refused") for _ in range(3)]
    getattr(first, end)()
    await greet(await peers.next())
    assert not shim.task.done()


async def test_a_replaced_chaincode_does_not_come_back(shim, peers, say):
    peer = await connect(shim, peers, say)
    peer.break_off(StreamEnded("replaced by 10.0.0.2:1 at noon", Ending.ABORTED))
    with pytest.raises(StreamEnded, match="replaced by") as ended:
        await shim.task
    assert ended.value.code is Ending.ABORTED


async def test_the_peers_stream_goes_with_the_chaincode(shim, peers, say):
    peer = await connect(shim, peers, say)
    shim.hang_up()
    await shim.task
    assert peer.closed.is_set()


async def test_no_peer_is_dialled_before_the_chaincode_registers(shim, peers):
    shim.hang_up()
    await shim.task
    assert peers._dialled.empty()


async def test_a_chaincode_server_is_dialled_again_when_it_restarts(
    bridge, peers, stream_type, say
):
    servers = Ends(stream_type)
    servers.refusals = [StreamLost("not there yet")]
    task = asyncio.create_task(bridge.serve_dialled(servers.dial))
    for _ in range(2):
        server = await servers.next()
        server.say(say.register("probe:1"))
        peer = await peers.next()
        await greet(peer)
        assert (await server.hear()).type == Msg.REGISTERED
        server.break_off()
        await asyncio.wait_for(peer.closed.wait(), 10)
        await asyncio.wait_for(server.closed.wait(), 10)
    server = await servers.next()
    server.say(say.register("probe:1"))
    (await peers.next()).break_off(StreamEnded("duplicate", Ending.ALREADY_EXISTS))
    with pytest.raises(StreamEnded, match="duplicate"):
        await task


async def test_each_reason_for_waiting_is_told_once(bridge, peers, stream_type, caplog):
    caplog.set_level("INFO", "treadle_peer.chaincode.bridge")
    servers = Ends(stream_type)
    servers.refusals = [StreamLost(text) for text in ("b is full", "a is away", "a is away")]
    task = asyncio.create_task(bridge.serve_dialled(servers.dial))
    (await servers.next()).hang_up()
    (await servers.next()).hang_up()
    task.cancel()
    assert [record.getMessage() for record in caplog.records][:3] == [
        "chaincode server: a is away; trying again",
        "chaincode server: b is full; trying again",
        "chaincode server: connected",
    ]


async def test_a_peer_that_is_away_is_told_once(shim, peers, say, caplog):
    caplog.set_level("INFO", "treadle_peer.chaincode.bridge")
    peers.refusals = [StreamLost("connection refused") for _ in range(5)]
    await connect(shim, peers, say)
    assert [record.getMessage() for record in caplog.records] == [
        "peer: connection refused; trying again",
        "peer: connected",
    ]


async def test_a_deaf_chaincode_stops_the_peers_messages(shim, peers, say):
    peer = await connect(shim, peers, say)
    shim.stop_reading()
    starts = [Msg(type=Msg.TRANSACTION, txid=f"t{n}", payload=bytes(100_000)) for n in range(200)]
    peer.say(*starts)
    for _ in range(1000):
        await asyncio.sleep(0)
    assert peer._incoming.qsize() > 150
    shim.read_again()
    for start in starts:
        assert (await shim.hear()).txid == start.txid
