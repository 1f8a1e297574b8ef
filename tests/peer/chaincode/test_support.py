"""Calls on connected chaincodes, and what happens when there is none (wire §1.6, §1.10, §2.7)."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager

import pytest
from fabric_protos.peer.chaincode_pb2 import ChaincodeID, ChaincodeInput, ChaincodeSpec
from fabric_protos.peer.chaincode_shim_pb2 import ChaincodeMessage as Msg
from fabric_protos.peer.chaincode_shim_pb2 import GetState
from treadle_peer.chaincode import (
    AdmissionRules,
    ChaincodeSupport,
    Ending,
    Mode,
    Modes,
    RegistrationRefused,
    RuntimeState,
    StreamEnded,
    SupportConfig,
)
from treadle_peer.execution import CallKind, ExecutionError

PREFIX = "failed to execute transaction t1: "


class Callee:
    """A ChaincodeInvoker whose answers the test decides."""

    def __init__(self):
        self.asked = asyncio.Queue()
        self.answer = asyncio.get_running_loop().create_future()

    async def invoke(self, caller, spec):
        self.asked.put_nowait((caller, spec))
        return await self.answer


class Launcher:
    """A Launcher that starts memory streams instead of processes."""

    def __init__(self):
        self.launches = []
        self.stopped = []
        self.refusal = None
        self.started = asyncio.Event()
        self.go = asyncio.Event()
        self.go.set()
        self.failure = None
        self.on_launch = lambda ccid: None

    async def launch(self, ccid):
        self.launches.append(ccid)
        self.started.set()
        await self.go.wait()
        if self.failure is not None:
            raise ExecutionError(self.failure)
        self.on_launch(ccid)

    async def stop(self, ccid):
        self.stopped.append(ccid)

    def admit(self, ccid, caller):
        return self.refusal

    def patience(self, ccid):
        return "" if self.go.is_set() else "still building (0 s); try again"


class Peer:
    """A ChaincodeSupport with chaincodes that the test connects."""

    def __init__(self, *, mode, streams, caller, launcher=None, rules=None, **config):
        self.known = {"probe:1"}
        self.invoker = Callee()
        self.support = ChaincodeSupport(
            config=SupportConfig(**config),
            modes=Modes(mode),
            rules=AdmissionRules(is_known=lambda ccid: ccid in self.known, **(rules or {})),
            invoker=lambda: self.invoker,
            launcher=launcher,
        )
        self._streams = streams
        self._caller = caller
        self.tasks = []

    def connect(self, remote="127.0.0.1:1", fingerprint=None):
        stream = self._streams()
        task = asyncio.create_task(
            self.support.serve(stream, self._caller(remote, fingerprint)), name=remote
        )
        self.tasks.append(task)
        return stream, task

    async def chaincode(self, ccid="probe:1", **options):
        stream, task = self.connect(**options)
        await stream.start(ccid)
        return stream, task

    def row(self, number=0):
        return self.support.status()[number]


@pytest.fixture
async def make_peer(stream_type, caller):
    peers = []

    def make(mode=Mode.DEVELOPMENT, **options):
        peer = Peer(mode=mode, streams=stream_type, caller=caller, **options)
        peers.append(peer)
        return peer

    yield make
    for peer in peers:
        for task in peer.tasks:
            task.cancel()
        await asyncio.gather(*peer.tasks, return_exceptions=True)
        await peer.support.stop_all()


@pytest.fixture
async def launcher():
    return Launcher()


@asynccontextmanager
async def running(work):
    """*work* as a task that ends with the block."""
    task = asyncio.create_task(work)
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def ended(task):
    """The sentence and code with which a stream ended."""
    with pytest.raises(StreamEnded) as end:
        async with asyncio.timeout(10):
            await task
    return end.value.sentence, end.value.code


async def until(condition):
    """Let the loop turn until *condition* holds."""
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0)


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
    peer = make_peer(chaincode_address="peer0.example.com:7052")
    with pytest.raises(ExecutionError) as failure:
        await peer.support.execute(world.call())
    assert str(failure.value) == (
        PREFIX + "could not launch chaincode probe:1: no chaincode process is connected; start "
        "yours with: CORE_CHAINCODE_ID_NAME=probe:1 CORE_PEER_TLS_ENABLED=false "
        "<chaincode> -peer.address peer0.example.com:7052"
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


# --- registration -----------------------------------------------------------------------------


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
    assert peer.row().state is RuntimeState.STOPPED


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


# --- launching --------------------------------------------------------------------------------


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


# --- floods and stopping ----------------------------------------------------------------------


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


def test_only_the_refusals_that_a_retry_cannot_change_are_final():
    final = {code for code in Ending if code.final}
    assert {Ending.UNAVAILABLE, Ending.DEADLINE_EXCEEDED} == set(Ending) - final
    assert RegistrationRefused("x", Ending.ABORTED).code.final
