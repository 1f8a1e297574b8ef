"""Which processes are admitted, parked, replaced or refused (fabric-wire.md §1.2, §2.7)."""

from __future__ import annotations

import asyncio

import pytest
from fabric_protos.peer.chaincode_pb2 import ChaincodeID
from fabric_protos.peer.chaincode_shim_pb2 import ChaincodeMessage as Msg
from harness.supported import ended, running, until
from treadle_peer.chaincode import (
    Ending,
    Mode,
    RegistrationRefused,
    RuntimeState,
)
from treadle_peer.execution import ExecutionError

PREFIX = "failed to execute transaction t1: "


async def test_the_newer_development_process_replaces_the_older(make_peer, world):
    peer = make_peer()
    _, first = await peer.chaincode(remote="10.0.0.1:1")
    stream, _ = await peer.chaincode(remote="10.0.0.2:2")
    sentence, code = await ended(first)
    assert sentence.startswith("replaced by 10.0.0.2:2 at 2")
    assert code is Ending.ABORTED
    [row] = peer.support.status()
    assert (row.remote, row.restarts, row.instance) == ("10.0.0.2:2", 1, 2)
    async with running(peer.support.execute(world.call())):
        assert (await stream.hear()).type == Msg.TRANSACTION


async def test_the_transactions_of_a_replaced_process_end(make_peer, world):
    peer = make_peer()
    stream, _ = await peer.chaincode()
    async with running(peer.support.execute(world.call())) as call:
        await stream.hear()
        await peer.chaincode(remote="10.0.0.2:2")
        with pytest.raises(ExecutionError, match="chaincode stream terminated"):
            await call


async def test_an_early_process_is_parked_and_admitted_by_the_install(make_peer, world):
    peer = make_peer()
    stream, _ = peer.connect()
    stream.say(Msg(type=Msg.REGISTER, payload=ChaincodeID(name="new:1").SerializeToString()))
    await until(lambda: peer.support.status())
    assert peer.row().state is RuntimeState.WAITING
    with pytest.raises(ExecutionError, match="could not launch chaincode new:1"):
        await peer.support.execute(world.call(ccid="new:1"))
    assert stream.heard() == []
    peer.support.installed("new:1")
    assert [(await stream.hear()).type for _ in range(2)] == [Msg.REGISTERED, Msg.READY]
    assert peer.row().state is RuntimeState.REGISTERED


async def test_a_parked_process_is_refused_when_no_install_comes(make_peer):
    peer = make_peer(rules={"install_timeout": 0.01})
    stream, task = peer.connect()
    stream.say(Msg(type=Msg.REGISTER, payload=ChaincodeID(name="new:1").SerializeToString()))
    sentence, code = await ended(task)
    assert sentence.startswith("chaincode new:1 was not installed within 0.01 s: install")
    assert code is Ending.FAILED_PRECONDITION
    assert peer.support.status() == []


async def test_a_parked_process_that_leaves_is_forgotten(make_peer):
    peer = make_peer()
    stream, task = peer.connect()
    stream.say(Msg(type=Msg.REGISTER, payload=ChaincodeID(name="new:1").SerializeToString()))
    await until(lambda: peer.support.status())
    stream.hang_up()
    await task
    peer.support.installed("new:1")
    assert stream.heard() == []


async def test_a_silent_stream_is_ended(make_peer):
    peer = make_peer(rules={"register_timeout": 0.01})
    _, task = peer.connect()
    assert await ended(task) == (
        "no REGISTER message arrived within 0.01 s",
        Ending.DEADLINE_EXCEEDED,
    )


async def test_a_developer_may_be_refused(make_peer, say):
    peer = make_peer(rules={"admit_developer": lambda ccid, caller: f"not {caller.remote}"})
    stream, task = peer.connect()
    stream.say(say.register())
    assert await ended(task) == ("not 127.0.0.1:1", Ending.PERMISSION_DENIED)
    assert peer.support.status() == []


async def test_an_impostor_in_production_is_refused_and_the_real_one_unharmed(
    make_peer, launcher, say, world
):
    peer = make_peer(Mode.PRODUCTION, launcher=launcher)
    real, _ = await peer.chaincode(fingerprint="real")
    launcher.refusal = "the certificate belongs to nobody"
    stream, task = peer.connect(fingerprint="other")
    stream.say(say.register())
    assert await ended(task) == ("the certificate belongs to nobody", Ending.PERMISSION_DENIED)
    async with running(peer.support.execute(world.call())):
        assert (await real.hear()).type == Msg.TRANSACTION


async def test_a_second_managed_process_is_a_duplicate(make_peer, launcher, say):
    peer = make_peer(Mode.PRODUCTION, launcher=launcher)
    await peer.chaincode(fingerprint="a")
    stream, task = peer.connect(fingerprint="b")
    stream.say(say.register())
    assert await ended(task) == ("duplicate chaincodeID: probe:1", Ending.ALREADY_EXISTS)
    assert peer.row().state is RuntimeState.REGISTERED


async def test_a_managed_process_that_reconnects_replaces_its_lingering_stream(make_peer, launcher):
    peer = make_peer(Mode.PRODUCTION, launcher=launcher)
    _, first = await peer.chaincode(fingerprint="a")
    await peer.chaincode(fingerprint="a")
    assert (await ended(first))[1] is Ending.ABORTED


async def test_without_launcher_production_refuses_everyone(make_peer, say):
    peer = make_peer(Mode.PRODUCTION)
    stream, task = peer.connect()
    stream.say(say.register())
    sentence, _ = await ended(task)
    assert sentence == (
        "peer will not accept external chaincode connection probe:1 (except in dev mode)"
    )


async def test_one_chaincode_in_development_on_a_production_peer(make_peer, launcher):
    launcher.refusal = "only launched ones"
    peer = make_peer(Mode.PRODUCTION, launcher=launcher)
    peer.support.set_mode("probe:1", Mode.DEVELOPMENT)
    _, task = await peer.chaincode()
    peer.support.set_mode("probe:1", None)
    assert await ended(task) == (
        "chaincode probe:1 is now in production mode",
        Ending.PERMISSION_DENIED,
    )


async def test_what_a_managed_process_works_on_ends_before_its_stream(
    make_peer, launcher, world, say
):
    counted: list[int] = []
    rules = {"changed": lambda ccid, number: counted.append(number)}
    peer = make_peer(Mode.PRODUCTION, launcher=launcher, rules=rules)
    stream, task = await peer.chaincode()
    async with running(peer.support.execute(world.call())) as call:
        assert (await stream.hear()).type == Msg.TRANSACTION
        peer.support.set_mode("probe:1", Mode.DEVELOPMENT)
        with pytest.raises(ExecutionError, match="start yours with"):
            await peer.support.execute(world.call(tx_id="t2"))
        assert not task.done()
        assert counted[-1] == 1
        stream.say(say.completed())
        assert (await call).response.status == 200
    assert await ended(task) == (
        "chaincode probe:1 is now in development mode",
        Ending.PERMISSION_DENIED,
    )
    await until(lambda: counted[-1] == 0)


async def test_a_managed_process_that_does_not_finish_is_ended(make_peer, launcher, world):
    peer = make_peer(Mode.PRODUCTION, launcher=launcher, rules={"handover_timeout": 0.05})
    stream, task = await peer.chaincode()
    async with running(peer.support.execute(world.call())) as call:
        await stream.hear()
        peer.support.set_mode("probe:1", Mode.DEVELOPMENT)
        assert (await ended(task))[1] is Ending.PERMISSION_DENIED
        with pytest.raises(ExecutionError, match="chaincode stream terminated"):
            await call


@pytest.mark.parametrize("how", ["evicted", "stopped"])
async def test_what_a_managed_process_works_on_ends_with_its_right_to(
    make_peer, launcher, world, how
):
    peer = make_peer(Mode.PRODUCTION, launcher=launcher)
    stream, task = await peer.chaincode()
    async with running(peer.support.execute(world.call())) as call:
        await stream.hear()
        peer.support.set_mode("probe:1", Mode.DEVELOPMENT)
        if how == "evicted":
            peer.support.evict(lambda ccid, caller: ccid == "other:1", "not this one")
            assert not task.done()
            peer.support.evict(lambda ccid, caller: ccid == "probe:1", "released")
            assert await ended(task) == ("released", Ending.PERMISSION_DENIED)
        else:
            await peer.support.stop_all()
            assert (await ended(task))[1] is Ending.UNAVAILABLE
        with pytest.raises(ExecutionError, match="chaincode stream terminated"):
            await call


async def test_who_waits_for_a_launch_is_told_that_a_developer_has_to_come(
    make_peer, launcher, world
):
    launcher.go.clear()
    peer = make_peer(Mode.PRODUCTION, launcher=launcher)
    async with running(peer.support.execute(world.call())) as call:
        await launcher.started.wait()
        peer.support.set_mode("probe:1", Mode.DEVELOPMENT)
        with pytest.raises(ExecutionError, match="probe:1 is now in development mode"):
            await call


@pytest.mark.parametrize("started", [False, True])
async def test_a_launch_that_gives_way_to_a_developer_has_not_failed(
    make_peer, launcher, world, caplog, started
):
    peer = make_peer(Mode.PRODUCTION, launcher=launcher)
    if not started:
        launcher.go.clear()
    async with running(peer.support.execute(world.call())) as call:
        await launcher.started.wait()
        peer.support.set_mode("probe:1", Mode.DEVELOPMENT)
        with pytest.raises(ExecutionError, match="probe:1 is now in development mode"):
            await call
    assert launcher.stopped == (["probe:1"] if started else [])
    assert peer.row().state is RuntimeState.STOPPED
    assert "could not launch" not in caplog.text
    peer.support.set_mode("probe:1", None)
    launcher.go.set()
    soon = asyncio.get_running_loop().time() + 0.4  # less than a failure puts the next one off
    with pytest.raises(ExecutionError):
        await peer.support.execute(world.call("t2", answer_by=soon))
    assert launcher.launches == ["probe:1", "probe:1"]


async def test_garbage_ends_one_stream_and_no_other(make_peer, say, world):
    peer = make_peer()
    peer.known.add("evil:1")
    stream, _ = await peer.chaincode()
    evil, task = await peer.chaincode("evil:1")
    evil.say(say.message(12))
    sentence, code = await ended(task)
    assert "cannot handle message (12) while in ready state" in sentence
    assert code is Ending.UNKNOWN
    async with running(peer.support.execute(world.call())):
        assert (await stream.hear()).type == Msg.TRANSACTION


def test_only_the_refusals_that_a_retry_cannot_change_are_final():
    final = {code for code in Ending if code.final}
    assert {Ending.UNAVAILABLE, Ending.DEADLINE_EXCEEDED} == set(Ending) - final
    assert RegistrationRefused("x", Ending.ABORTED).code.final
