"""What a transaction collected is gone with it: nothing waits for the garbage collector."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator

import pytest
from harness.supported import ended, running, until
from treadle_peer.execution import ExecutionError


@pytest.fixture
def uncollected() -> Iterator[None]:
    """The garbage collector does not run: what is in a cycle stays."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


async def failing(peer, call):
    """The words with which *call* fails."""
    try:
        await peer.support.execute(call)
    except ExecutionError as failure:
        return str(failure)
    raise AssertionError("it did not fail")


async def test_after_a_timeout(make_peer, world, uncollected):
    peer = make_peer(development_execute_timeout=0.01)
    await peer.chaincode()
    call = world.call(simulator=world.ledger.simulator("t1"))
    simulator = weakref.ref(call.simulator)
    assert "timeout expired" in await failing(peer, call)
    del call
    await until(lambda: simulator() is None)


async def test_after_an_answer_long_before_the_deadline(make_peer, world, say, uncollected):
    peer = make_peer(development_execute_timeout=1000)
    stream, _ = await peer.chaincode()
    call = world.call(simulator=world.ledger.simulator("t1"))
    simulator = weakref.ref(call.simulator)
    # Another one that runs holds the first place in the order of deadlines.
    async with running(peer.support.execute(world.call("t0"))):
        await until(lambda: peer.row().in_flight == 1)
        stream.say(say.completed())
        await peer.support.execute(call)
        del call
        await until(lambda: simulator() is None)


async def test_after_the_stream_has_ended(make_peer, world, say, uncollected):
    peer = make_peer()
    stream, task = await peer.chaincode()
    call = world.call(simulator=world.ledger.simulator("t1"))
    simulator = weakref.ref(call.simulator)
    stream.say(say.register())  # a violation
    assert "stream terminated" in await failing(peer, call)
    await ended(task)
    del call
    await until(lambda: simulator() is None)
