"""Many streams and many calls: who says nothing goes, and who hangs leaves room for others."""

from __future__ import annotations

import asyncio

import pytest
from harness.supported import ended, running, until
from treadle_peer.chaincode import Ending
from treadle_peer.execution import ExecutionError

CROWDED = (
    "too many streams have not sent their REGISTER message yet; this one made room for another"
)


async def test_of_streams_without_a_name_the_oldest_makes_room(make_peer):
    peer = make_peer(rules={"max_nameless": 3})
    _, registered = await peer.chaincode()
    _, oldest = peer.connect()
    others = [peer.connect() for _ in range(3)]
    assert await ended(oldest) == (CROWDED, Ending.RESOURCE_EXHAUSTED)
    assert not any(task.done() for _, task in others)
    assert not registered.done()
    await others[0][0].start("probe:1")  # late, but not too late


async def test_streams_that_came_and_went_take_no_room(make_peer):
    peer = make_peer(rules={"max_nameless": 1})
    for _ in range(5):
        stream, task = peer.connect()
        stream.hang_up()
        await task
    _, task = peer.connect()
    await asyncio.sleep(0)
    assert not task.done()


async def test_a_chaincode_that_hangs_leaves_room_for_another(make_peer, world):
    peer = make_peer(max_calls=2)
    peer.known.add("other:1")
    await peer.chaincode("other:1")
    await peer.chaincode("probe:1")
    async with (
        running(peer.support.execute(world.call("a"))),
        running(peer.support.execute(world.call("b"))),
    ):
        await until(lambda: peer.row(1).in_flight == 2)
        with pytest.raises(ExecutionError, match="probe:1 has 2 transactions under way"):
            await peer.support.execute(world.call("c"))
        async with running(peer.support.execute(world.call("c", ccid="other:1"))):
            await until(lambda: peer.row(0).in_flight == 1)
    async with running(peer.support.execute(world.call("d"))):
        await until(lambda: peer.row(1).in_flight == 1)  # places are free again
