"""Calls that launch their chaincode, and what becomes of those who wait (fabric-wire.md §2.7)."""

from __future__ import annotations

import asyncio

import pytest
from fabric_protos.peer.chaincode_shim_pb2 import ChaincodeMessage as Msg
from harness.supported import running, until
from treadle_peer.chaincode import (
    Mode,
    RuntimeState,
)
from treadle_peer.execution import ExecutionError

PREFIX = "failed to execute transaction t1: "


async def test_the_first_call_launches_and_the_others_join(make_peer, launcher, say, world):
    peer = make_peer(Mode.PRODUCTION, launcher=launcher)
    launcher.go.clear()
    calls = [asyncio.create_task(peer.support.execute(world.call(f"t{n}"))) for n in range(3)]
    await launcher.started.wait()
    assert peer.row().state is RuntimeState.LAUNCHING
    launcher.go.set()
    stream, _ = await peer.chaincode(fingerprint="a")
    for n in range(3):
        await stream.hear()
        stream.say(say.completed(tx=f"t{n}"))
    await asyncio.gather(*calls)
    assert launcher.launches == ["probe:1"]


async def test_a_launch_survives_the_request_that_asked_for_it(make_peer, launcher, world):
    peer = make_peer(Mode.PRODUCTION, launcher=launcher)
    launcher.go.clear()
    async with running(peer.support.execute(world.call())):
        await launcher.started.wait()
    launcher.go.set()
    await peer.chaincode(fingerprint="a")
    assert peer.row().state is RuntimeState.REGISTERED
    assert launcher.stopped == []


async def test_who_cannot_wait_for_a_launch_is_told_so_and_the_launch_goes_on(
    make_peer, launcher, say, world
):
    peer = make_peer(Mode.PRODUCTION, launcher=launcher)
    launcher.go.clear()
    soon = asyncio.get_running_loop().time() + 0.05
    with pytest.raises(ExecutionError) as told:
        await peer.support.execute(world.call(answer_by=soon))
    assert str(told.value) == (
        PREFIX + "could not launch chaincode probe:1: still building (0 s); try again"
    )
    assert peer.row().state is RuntimeState.LAUNCHING
    async with running(peer.support.execute(world.call("t2"))) as call:
        launcher.go.set()
        stream, _ = await peer.chaincode()
        await stream.hear()
        stream.say(say.completed("t2"))
        assert (await call).response.status == 200
    assert launcher.launches == ["probe:1"]


async def test_who_cannot_wait_for_a_put_off_launch_is_told_that_it_is(make_peer, launcher, world):
    peer = make_peer(Mode.PRODUCTION, launcher=launcher)
    launcher.failure = "error building chaincode: no"
    with pytest.raises(ExecutionError, match="no"):
        await peer.support.execute(world.call())
    soon = asyncio.get_running_loop().time() + 0.05
    with pytest.raises(ExecutionError, match="put off because the last one failed; try again"):
        await peer.support.execute(world.call("t2", answer_by=soon))


async def test_a_failed_launch_reaches_who_waits_and_the_registry(make_peer, launcher, world):
    peer = make_peer(Mode.PRODUCTION, launcher=launcher)
    launcher.failure = "error building chaincode: main.go:3: syntax error"
    with pytest.raises(ExecutionError) as failure:
        await peer.support.execute(world.call())
    assert str(failure.value) == (
        PREFIX + "could not launch chaincode probe:1: " + launcher.failure
    )
    row = peer.row()
    assert row.state is RuntimeState.FAILED
    assert launcher.failure in row.last_error


async def test_a_process_that_never_registers_times_out_and_is_stopped(make_peer, launcher, world):
    peer = make_peer(Mode.PRODUCTION, launcher=launcher, startup_timeout=0.01)
    text = "timeout expired while starting chaincode probe:1 for transaction"
    with pytest.raises(ExecutionError, match=text):
        await peer.support.execute(world.call())
    assert launcher.stopped == ["probe:1"]


async def test_a_process_that_exits_early_fails_its_waiters_at_once(make_peer, launcher, world):
    peer = make_peer(Mode.PRODUCTION, launcher=launcher)
    loop = asyncio.get_running_loop()
    launcher.on_launch = lambda ccid: loop.call_soon(
        peer.support.runtime_exited, ccid, "container exited with 2"
    )
    with pytest.raises(ExecutionError) as failure:
        await peer.support.execute(world.call())
    assert str(failure.value) == (
        PREFIX + "could not launch chaincode probe:1: "
        "chaincode registration failed: container exited with 2"
    )


async def test_a_died_process_is_launched_again_by_the_next_call(make_peer, launcher, say, world):
    peer = make_peer(Mode.PRODUCTION, launcher=launcher)
    stream, task = await peer.chaincode(fingerprint="a")
    stream.hang_up()
    await task
    async with running(peer.support.execute(world.call())):
        await until(lambda: launcher.launches)
        stream, _ = await peer.chaincode(fingerprint="b")
        assert (await stream.hear()).type == Msg.TRANSACTION
    assert peer.row().restarts == 1


async def test_the_exit_of_an_earlier_process_does_not_fail_the_next_launch(
    make_peer, launcher, say, world
):
    peer = make_peer(Mode.PRODUCTION, launcher=launcher)
    stream, task = await peer.chaincode(fingerprint="a")
    stream.hang_up()
    await task
    async with running(peer.support.execute(world.call())):
        await until(lambda: peer.row().state is RuntimeState.LAUNCHING)
        peer.support.runtime_exited("probe:1", "container exited with 2")
        await launcher.started.wait()
        stream, _ = await peer.chaincode(fingerprint="b")
        assert (await stream.hear()).type == Msg.TRANSACTION


async def test_a_broken_launcher_is_an_error_not_a_crash(make_peer, launcher, world):
    peer = make_peer(Mode.PRODUCTION, launcher=launcher)

    def explode(ccid):
        raise OSError("no more processes")

    launcher.on_launch = explode
    with pytest.raises(ExecutionError, match="error starting container: no more processes"):
        await peer.support.execute(world.call())


async def test_a_peer_that_stops_ends_its_launches_but_not_what_runs(
    make_peer, launcher, say, world
):
    peer = make_peer(Mode.PRODUCTION, launcher=launcher)
    async with running(peer.support.execute(world.call())) as call:
        await launcher.started.wait()
        stream, _ = await peer.chaincode(fingerprint="a")
        await stream.hear()
        launcher.go.clear()
        launcher.started.clear()
        building = asyncio.create_task(peer.support.execute(world.call("t2", ccid="slow:1")))
        await launcher.started.wait()
        await peer.support.end_launches()
        for other in (building, peer.support.execute(world.call("t3", ccid="late:1"))):
            with pytest.raises(ExecutionError, match=r"chaincode .*:1: the peer is stopping"):
                await other
        stream.say(say.completed())
        await call
    assert launcher.launches == ["probe:1", "slow:1"]


async def test_a_launch_that_a_stop_overtakes_before_it_runs_says_so(make_peer, launcher, world):
    peer = make_peer(Mode.PRODUCTION, launcher=launcher)
    waiting = asyncio.create_task(peer.support.execute(world.call()))
    # One turn of the loop: the launch is there, and has not run yet.
    await asyncio.sleep(0)
    await peer.support.end_launches()
    with pytest.raises(ExecutionError, match="the peer is stopping"):
        await waiting
    assert launcher.launches == []
