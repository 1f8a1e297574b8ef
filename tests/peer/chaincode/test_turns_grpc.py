"""Over real connections: who waits for replies is not slowed beside others; a flooder is."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from fabric_protos.peer.chaincode_pb2 import ChaincodeSpec
from fabric_protos.peer.chaincode_shim_pb2 import ChaincodeMessage as Msg
from fabric_protos.peer.chaincode_shim_pb2 import GetStateByRange
from harness.memory_streams import completed, invocation, message
from harness.supported import until
from harness.wired import Port, Shim
from treadle_peer.chaincode import AdmissionRules, ChaincodeSupport, Mode, Modes, SupportConfig
from treadle_peer.chaincode.session import TxKey
from treadle_peer.chaincode.turns import Turn
from treadle_peer.execution import Call

REQUESTS = 200
TESTS = Path(__file__).resolve().parents[2]
RANGE = message(Msg.GET_STATE_BY_RANGE, GetStateByRange())


@dataclass
class Seen:
    """What all turns said: messages that were asked for and others, and seconds of waiting."""

    asked: list[bool] = field(default_factory=list)
    waited: float = 0.0


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> Iterator[Seen]:
    """A record of the real turns."""
    noted, takes, waits = Seen(), Turn.takes, Turn.waits

    def note_take(turn: Turn, key: TxKey) -> bool:
        noted.asked.append(takes(turn, key))
        return noted.asked[-1]

    def note_wait(turn: Turn, ccid: str, now: float) -> float:
        seconds = waits(turn, ccid, now)
        noted.waited += seconds
        return seconds

    monkeypatch.setattr(Turn, "takes", note_take)
    monkeypatch.setattr(Turn, "waits", note_wait)
    return noted


class Calling:
    """Every chaincode calls ``callee:1``."""

    def __init__(self, support: ChaincodeSupport) -> None:
        self._support = support

    async def invoke(self, caller: Call, spec: ChaincodeSpec) -> Msg:
        return await self._support.run(replace(caller, ccid="callee:1"))


def supporting() -> ChaincodeSupport:
    made: list[ChaincodeSupport] = []
    made.append(
        ChaincodeSupport(
            config=SupportConfig(),
            modes=Modes(Mode.DEVELOPMENT),
            rules=AdmissionRules(is_known=lambda ccid: True),
            invoker=lambda: Calling(made[0]),
        )
    )
    return made[0]


async def strict(shim: Shim, *, calls: bool = False) -> None:
    """Serve one transaction: each request when the reply to the former has come."""
    assert (await shim.hear()).type == Msg.TRANSACTION
    for _ in range(REQUESTS):
        await shim.say(RANGE)
        assert (await shim.hear()).type == Msg.RESPONSE
    if calls:
        await shim.say(invocation())
        assert (await shim.hear()).type == Msg.RESPONSE
    await shim.say(completed())


@asynccontextmanager
async def flooding(address: str) -> AsyncIterator[None]:
    """``two:1`` in a process of its own, which at the end has had all its replies."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "harness.flooder", address, str(REQUESTS)),
        env=os.environ | {"PYTHONPATH": str(TESTS)},
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        yield
        said, _ = await process.communicate()
        assert said.decode() == f"{REQUESTS} replies\n"
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


@asynccontextmanager
async def playing(world, **parts) -> AsyncIterator[tuple[ChaincodeSupport, str]]:
    """The named chaincodes are connected and play their parts until the end of these."""
    support = supporting()
    async with Port(support.serve) as port, AsyncExitStack() as streams:
        shims = {}
        for name in parts:
            shims[name] = await (await Shim.dial(port.address)).start(f"{name}:1")
            streams.push_async_callback(shims[name].stream.close)
        async with asyncio.timeout(60), asyncio.TaskGroup() as together:
            for name, part in parts.items():
                together.create_task(part(shims[name]))
            yield support, port.address


async def test_two_that_wait_for_replies_are_never_slowed(seen, small_world):
    async with playing(small_world, one=strict, two=strict) as (support, _):
        calls = [replace(small_world.call(), ccid=f"{name}:1") for name in ("one", "two")]
        await asyncio.gather(*(support.execute(call) for call in calls))
    assert seen.waited == 0
    assert seen.asked.count(False) <= 2 + 2 * REQUESTS * 0.05  # two of them register


async def test_neither_are_caller_and_callee(seen, small_world):
    async def calling(shim: Shim) -> None:
        await strict(shim, calls=True)

    async with playing(small_world, caller=calling, callee=strict) as (support, _):
        await support.execute(replace(small_world.call(), ccid="caller:1"))
    assert seen.waited == 0
    assert seen.asked.count(False) <= 2 + 2 * REQUESTS * 0.05


async def test_a_flooder_beside_one_of_them_is(seen, small_world):
    async with playing(small_world, one=strict) as (support, address), flooding(address):
        await until(lambda: len(support.status()) == 2)
        calls = [replace(small_world.call(), ccid=f"{name}:1") for name in ("two", "one")]
        await asyncio.gather(*(support.execute(call) for call in calls))
    assert seen.waited > 0
    assert seen.asked.count(False) >= REQUESTS / 2
