"""A bounded queue with one writer: order, back-pressure, and the end of a deaf chaincode."""

from __future__ import annotations

import asyncio

import pytest
from fabric_protos.peer.chaincode_shim_pb2 import ChaincodeMessage as Msg
from treadle_peer.chaincode import Ending, StreamEnded, StreamLost
from treadle_peer.chaincode.outbox import Outbox


class Writer:
    """Takes messages one at a time, when the test lets it."""

    def __init__(self):
        self.taken = []
        self.permits = asyncio.Semaphore(0)

    async def send(self, message):
        await self.permits.acquire()
        self.taken.append(message.txid)

    def allow(self, count):
        for _ in range(count):
            self.permits.release()


@pytest.fixture
async def writer():
    return Writer()


def put(outbox, *ids, size=0):
    for tx_id in ids:
        outbox.put(Msg(txid=tx_id, payload=bytes(size)))


async def settled(task):
    """Let everything that can run do so."""
    for _ in range(20):
        await asyncio.sleep(0)
    return task.done()


async def test_messages_leave_in_order(writer):
    outbox = Outbox()
    drain = asyncio.create_task(outbox.drain(writer.send))
    put(outbox, "1", "2")
    writer.allow(3)
    await settled(drain)
    put(outbox, "3")
    await settled(drain)
    assert writer.taken == ["1", "2", "3"]
    drain.cancel()


@pytest.mark.parametrize("limits", [{"high_water_messages": 2}, {"high_water_bytes": 2000}])
async def test_producers_wait_until_there_is_space(writer, limits):
    outbox = Outbox(**limits)
    await outbox.space()
    put(outbox, "1", "2", size=1000)
    waiting = asyncio.create_task(outbox.space())
    assert not await settled(waiting)
    drain = asyncio.create_task(outbox.drain(writer.send))
    assert not await settled(waiting)
    writer.allow(1)
    assert await settled(waiting)
    drain.cancel()


async def test_one_message_larger_than_the_mark_passes(writer):
    outbox = Outbox(high_water_bytes=10)
    put(outbox, "big", size=1000)
    writer.allow(1)
    drain = asyncio.create_task(outbox.drain(writer.send))
    await outbox.space()
    assert writer.taken == ["big"]
    drain.cancel()


async def test_of_many_waiting_producers_one_at_a_time_goes_on(writer):
    outbox = Outbox(high_water_messages=1)
    put(outbox, "0")

    async def produce(tx_id):
        await outbox.space()
        put(outbox, tx_id)

    producers = [asyncio.create_task(produce(str(n))) for n in range(1, 6)]
    drain = asyncio.create_task(outbox.drain(writer.send))
    for allowed in range(1, 6):
        writer.allow(1)
        await settled(drain)
        assert sum(task.done() for task in producers) == allowed
    drain.cancel()


async def test_a_reader_that_takes_nothing_is_reported_in_a_sentence():
    outbox = Outbox(high_water_messages=2, stall_timeout=0.01)
    put(outbox, "1", "2", size=100)
    with pytest.raises(StreamEnded, match=r"does not read: 2 messages \(\d+ bytes\)") as ended:
        await outbox.space()
    assert ended.value.code is Ending.RESOURCE_EXHAUSTED


async def test_closing_releases_who_waits_and_drops_what_is_queued(writer):
    outbox = Outbox(high_water_messages=1)
    put(outbox, "1")
    waiting = asyncio.create_task(outbox.space())
    await settled(waiting)
    outbox.close()
    with pytest.raises(StreamLost):
        await waiting
    put(outbox, "2")
    drain = asyncio.create_task(outbox.drain(writer.send))
    writer.allow(2)
    await settled(drain)
    assert writer.taken == []
    drain.cancel()
