"""Calls on connected chaincodes, and what happens when there is none (wire §1.6, §1.10, §2.7)."""

from __future__ import annotations

import asyncio

import pytest
from fabric_protos.peer.chaincode_pb2 import ChaincodeID, ChaincodeInput, ChaincodeSpec
from fabric_protos.peer.chaincode_shim_pb2 import ChaincodeMessage as Msg
from fabric_protos.peer.chaincode_shim_pb2 import GetState
from harness.supported import ended, running, until
from treadle_peer.chaincode import (
    Ending,
    Mode,
    RuntimeState,
    SupportConfig,
)
from treadle_peer.execution import CallKind, ExecutionError

PREFIX = "failed to execute transaction t1: "


async def test_a_call_goes_to_the_connected_chaincode(make_peer, say, world):
    peer = make_peer()
    stream, _ = await peer.chaincode()
    async with running(peer.support.execute(world.call())) as call:
        assert (await stream.hear()).type == Msg.TRANSACTION
        stream.say(say.message(Msg.GET_STATE, GetState(key="a")))
        assert (await stream.hear()).type == Msg.RESPONSE
        stream.say(say.completed(payload=b"done"))
        outcome = await call
    assert outcome.response.payload == b"done"
    row = peer.row()
    assert (row.state, row.owner, row.transactions, row.errors) == (
        RuntimeState.REGISTERED,
        "development",
        1,
        0,
    )


async def test_a_chaincodes_error_is_not_wrapped(make_peer, say, world):
    peer = make_peer()
    stream, _ = await peer.chaincode()
    async with running(peer.support.execute(world.call())) as call:
        await stream.hear()
        stream.say(say.message(Msg.ERROR, b"boom"))
        with pytest.raises(ExecutionError, match=r"^transaction returned with failure: boom$"):
            await call
    assert (peer.row().errors, peer.row().last_error) == (1, "boom")


async def test_a_lost_stream_fails_its_calls_in_fabrics_words(make_peer, world):
    peer = make_peer()
    stream, _ = await peer.chaincode()
    async with running(peer.support.execute(world.call())) as call:
        await stream.hear()
        stream.break_off()
        with pytest.raises(ExecutionError) as failure:
            await call
    assert str(failure.value) == PREFIX + "error sending: chaincode stream terminated"
    assert peer.row().state is RuntimeState.STOPPED


async def test_a_slow_chaincode_times_out_and_keeps_its_stream(make_peer, say, world):
    peer = make_peer(development_execute_timeout=0.01)
    stream, _ = await peer.chaincode()
    with pytest.raises(ExecutionError) as failure:
        await peer.support.execute(world.call())
    text = "error sending: timeout expired while executing transaction"
    assert str(failure.value) == PREFIX + text
    await stream.hear()
    stream.say(say.message(Msg.GET_STATE), say.completed(), say.message(Msg.GET_STATE, tx="t9"))
    assert (await stream.hear()).payload.endswith(b"t1: no ledger context")
    assert (await stream.hear()).payload.endswith(b"t9: no ledger context")
    assert peer.row().state is RuntimeState.REGISTERED


async def test_development_has_no_timeout_by_default():
    assert SupportConfig().development_execute_timeout is None
    assert SupportConfig().execute_timeout == 30


async def test_a_cancelled_call_frees_its_context(make_peer, say, world):
    peer = make_peer()
    stream, _ = await peer.chaincode()
    async with running(peer.support.execute(world.call())):
        await stream.hear()
    assert peer.row().in_flight == 0
    stream.say(say.message(Msg.GET_STATE))
    assert (await stream.hear()).payload.endswith(b"no ledger context")


async def test_nobody_connected_in_development_tells_the_start_command(make_peer, world):
    peer = make_peer(start_line=lambda ccid: f"the line of {ccid}")
    with pytest.raises(ExecutionError) as failure:
        await peer.support.execute(world.call())
    assert str(failure.value) == (
        PREFIX + "could not launch chaincode probe:1: no chaincode process is connected; start "
        "yours with: the line of probe:1"
    )


async def test_legacy_init_reports_a_missing_process_without_the_outer_wrap(make_peer, world):
    peer = make_peer()
    with pytest.raises(ExecutionError, match=r"^could not launch chaincode probe:1: no chaincode"):
        await peer.support.execute(world.call(kind=CallKind.INIT))


async def test_a_callees_message_reaches_the_caller(make_peer, say, world):
    peer = make_peer()
    stream, _ = await peer.chaincode()
    async with running(peer.support.execute(world.call())) as call:
        await stream.hear()
        spec = ChaincodeSpec(
            chaincode_id=ChaincodeID(name="other"), input=ChaincodeInput(args=[b"f"])
        )
        stream.say(say.message(Msg.INVOKE_CHAINCODE, spec))
        caller, asked = await peer.invoker.asked.get()
        assert (caller.chaincode_name, asked) == ("probe", spec)
        final = say.completed(payload=b"callee")
        peer.invoker.answer.set_result(final)
        assert Msg.FromString((await stream.hear()).payload) == final
        stream.say(say.completed())
        await call


@pytest.mark.parametrize(
    ("failure", "text"),
    [
        (ExecutionError("execute failed: no"), "execute failed: no"),
        (ZeroDivisionError(), "panic during execution"),
    ],
)
async def test_a_failing_callee_is_an_error_reply(make_peer, say, world, failure, text):
    peer = make_peer()
    stream, _ = await peer.chaincode()
    async with running(peer.support.execute(world.call())):
        await stream.hear()
        spec = ChaincodeSpec(chaincode_id=ChaincodeID(name="other"))
        stream.say(say.message(Msg.INVOKE_CHAINCODE, spec))
        peer.invoker.answer.set_exception(failure)
        reply = await stream.hear()
        assert reply.payload.decode() == f"INVOKE_CHAINCODE failed: transaction ID: t1: {text}"


async def test_a_callee_is_cancelled_with_its_caller(make_peer, say, world):
    peer = make_peer()
    stream, _ = await peer.chaincode()
    async with running(peer.support.execute(world.call())):
        await stream.hear()
        spec = ChaincodeSpec(chaincode_id=ChaincodeID(name="other"))
        stream.say(say.message(Msg.INVOKE_CHAINCODE, spec))
        await peer.invoker.asked.get()
        stream.say(say.completed())
        await until(peer.invoker.answer.cancelled)
    assert stream.heard() == []


async def test_calling_itself_fails_at_once_also_with_several_processes(make_peer, launcher, world):
    peer = make_peer(Mode.PRODUCTION, launcher=launcher, rules={"max_instances": 2})
    await peer.chaincode(fingerprint="a")
    await peer.chaincode(fingerprint="b")
    async with running(peer.support.execute(world.call())):
        await until(lambda: sum(row.in_flight for row in peer.support.status()))
        with pytest.raises(ExecutionError, match=r"^error sending: txid: t1\(ch\) exists$"):
            await peer.support.run(world.call())


async def test_processes_of_one_chaincode_share_the_load(make_peer, launcher, world):
    peer = make_peer(Mode.PRODUCTION, launcher=launcher, rules={"max_instances": 3})
    streams = [(await peer.chaincode(fingerprint=name))[0] for name in "abc"]
    calls = [asyncio.create_task(peer.support.execute(world.call(f"t{n}"))) for n in range(9)]
    for stream in streams:
        for _ in range(3):
            await stream.hear()
    assert [row.in_flight for row in peer.support.status()] == [3, 3, 3]
    for call in calls:
        call.cancel()
    await asyncio.gather(*calls, return_exceptions=True)


async def test_a_chaincode_that_never_reads_costs_bounded_memory_and_its_stream(
    make_peer, launcher, say, world
):
    peer = make_peer(Mode.PRODUCTION, launcher=launcher, stall_timeout=0.05)
    stream, task = await peer.chaincode(fingerprint="a")
    world.put({"big": bytes(100_000)})
    async with running(peer.support.execute(world.call())) as call:
        await stream.hear()
        stream.stop_reading()
        stream.say(*[say.message(Msg.GET_STATE, GetState(key="big")) for _ in range(1000)])
        sentence, code = await ended(task)
        assert "the chaincode does not read" in sentence
        assert code is Ending.RESOURCE_EXHAUSTED
        waiting = int(sentence.split(": ")[1].split()[0])
        assert waiting < 60, "the rest was never read from the stream"
        with pytest.raises(ExecutionError, match="chaincode stream terminated"):
            await call


async def test_a_call_does_not_wait_for_a_deaf_chaincode_beyond_its_timeout(make_peer, say, world):
    peer = make_peer(development_execute_timeout=0.02)
    stream, _ = await peer.chaincode()
    stream.stop_reading()
    unknown = [say.message(Msg.GET_STATE, GetState(key="a"), tx="x") for _ in range(3000)]
    stream.say(*unknown)
    with pytest.raises(ExecutionError, match="timeout expired while executing transaction"):
        await peer.support.execute(world.call())
    with pytest.raises(ExecutionError, match="timeout expired while executing transaction"):
        await peer.support.execute(world.call("t2"))


async def test_draining_waits_for_the_running_calls(make_peer, say, world):
    peer = make_peer()
    stream, _ = await peer.chaincode()
    assert await peer.support.drain(timeout_seconds=1)
    async with running(peer.support.execute(world.call())) as call:
        await stream.hear()
        assert not await peer.support.drain(timeout_seconds=0.01)
        stream.say(say.completed())
        assert await peer.support.drain(timeout_seconds=10)
        await call


async def test_stopping_ends_streams_launches_and_calls(make_peer, launcher, say, world):
    peer = make_peer(Mode.PRODUCTION, launcher=launcher)
    _, task = await peer.chaincode(fingerprint="a")
    launcher.go.clear()
    async with running(peer.support.execute(world.call(ccid="slow:1"))) as call:
        await launcher.started.wait()
        await peer.support.stop_all()
        with pytest.raises(ExecutionError, match="the peer is stopping"):
            await call
    assert await ended(task) == ("the peer is stopping", Ending.UNAVAILABLE)
    _, late = peer.connect()
    assert await ended(late) == ("the peer is stopping", Ending.UNAVAILABLE)
    with pytest.raises(ExecutionError, match="the peer is stopping"):
        await peer.support.execute(world.call("t2"))
