"""What is told to the metrics about streams and launches."""

from __future__ import annotations

import asyncio

import pytest
from fabric_protos.peer.chaincode_pb2 import ChaincodeID, ChaincodeSpec
from fabric_protos.peer.chaincode_shim_pb2 import ChaincodeMessage as Msg
from fabric_protos.peer.chaincode_shim_pb2 import GetState
from treadle_peer.chaincode import (
    AdmissionRules,
    ChaincodeSupport,
    LaunchEnd,
    Mode,
    Modes,
    Observer,
    SupportConfig,
)
from treadle_peer.execution import ExecutionError


class Notes(Observer):
    """Writes down what it is told, without the seconds."""

    def __init__(self):
        self.all = []

    def launch_ended(self, ccid, end, *, seconds):
        assert seconds >= 0
        self.all.append((ccid, end))

    def request_received(self, ccid, channel_id, kind):
        self.all.append((ccid, channel_id, kind))

    def request_completed(self, ccid, channel_id, kind, *, seconds, success):
        assert seconds >= 0
        self.all.append((ccid, channel_id, kind, success))

    def execution_timed_out(self, ccid):
        self.all.append((ccid, "timed out"))


class NoCallee:
    async def invoke(self, caller, spec):
        raise ExecutionError("no such chaincode")


class FailingLauncher:
    """Starts nothing: fails, or starts something that never registers."""

    def __init__(self, failure):
        self.failure = failure

    async def launch(self, ccid):
        if self.failure:
            raise ExecutionError(self.failure)

    async def stop(self, ccid, *, withdrawn=False):
        pass

    def admit(self, ccid, caller):
        return None

    def patience(self, ccid):
        return ""


def make_support(notes, *, mode=Mode.DEVELOPMENT, launcher=None, **config):
    return ChaincodeSupport(
        config=SupportConfig(**config),
        modes=Modes(mode),
        rules=AdmissionRules(is_known=lambda ccid: True),
        invoker=NoCallee,
        launcher=launcher,
        observer=notes,
    )


@pytest.fixture
async def probe(stream_type, caller):
    """A connected chaincode, its peer, and the notes about it."""
    notes = Notes()
    support = make_support(notes, development_execute_timeout=0.2)
    stream = stream_type()
    task = asyncio.create_task(support.serve(stream, caller()))
    await stream.start()
    yield stream, support, notes
    await support.stop_all()
    await asyncio.gather(task, return_exceptions=True)


async def test_a_request_is_told_when_it_comes_and_when_it_is_answered(probe, world, say):
    stream, support, notes = probe
    running = asyncio.create_task(support.execute(world.call()))
    await stream.hear()
    stream.say(say.message(Msg.GET_STATE, GetState(key="a")))
    await stream.hear()
    stream.say(say.message(Msg.GET_STATE, b"\xff"))
    assert (await stream.hear()).type == Msg.ERROR
    stream.say(say.completed())
    await running
    asked = ("probe:1", "ch", "GET_STATE")
    assert notes.all == [asked, (*asked, True), asked, (*asked, False)]


async def test_a_call_of_another_chaincode_is_one_request(probe, world, say):
    stream, support, notes = probe
    running = asyncio.create_task(support.execute(world.call()))
    await stream.hear()
    spec = ChaincodeSpec(chaincode_id=ChaincodeID(name="other"))
    stream.say(say.message(Msg.INVOKE_CHAINCODE, spec))
    assert (await stream.hear()).type == Msg.ERROR
    stream.say(say.completed())
    await running
    asked = ("probe:1", "ch", "INVOKE_CHAINCODE")
    assert notes.all == [asked, (*asked, False)]


async def test_requests_of_transactions_that_do_not_run_are_not_told(probe, say):
    stream, _, notes = probe
    stream.say(say.message(Msg.GET_STATE, GetState(key="a"), channel="invented"))
    assert (await stream.hear()).type == Msg.ERROR
    assert notes.all == []


async def test_a_transaction_that_takes_too_long_is_told(probe, world):
    _, support, notes = probe
    with pytest.raises(ExecutionError, match="timeout expired while executing"):
        await support.execute(world.call())
    assert notes.all == [("probe:1", "timed out")]


@pytest.mark.parametrize(
    ("failure", "end"), [("no compiler", LaunchEnd.FAILED), (None, LaunchEnd.TIMED_OUT)]
)
async def test_a_launch_that_fails_is_told_once(world, failure, end):
    notes = Notes()
    support = make_support(
        notes, mode=Mode.PRODUCTION, launcher=FailingLauncher(failure), startup_timeout=0.05
    )
    waiting = [support.execute(world.call(f"t{number}")) for number in range(3)]
    results = await asyncio.gather(*waiting, return_exceptions=True)
    assert all(isinstance(result, ExecutionError) for result in results)
    assert notes.all == [("probe:1", end)]
    await support.stop_all()
