"""A ChaincodeSupport whose launcher, callees and chaincodes the test plays."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import pytest
from fabric_protos.peer.chaincode_pb2 import ChaincodeSpec
from fabric_protos.peer.chaincode_shim_pb2 import ChaincodeMessage
from harness.memory_streams import MemoryStream
from treadle_peer.chaincode import (
    AdmissionRules,
    ChaincodeSupport,
    Ending,
    Mode,
    Modes,
    RuntimeRow,
    StreamEnded,
    StreamPeer,
    SupportConfig,
)
from treadle_peer.execution import Call, ExecutionError

T = TypeVar("T")


class Callee:
    """A ChaincodeInvoker whose answers the test decides."""

    def __init__(self) -> None:
        self.asked: asyncio.Queue[tuple[Call, ChaincodeSpec]] = asyncio.Queue()
        self.answer: asyncio.Future[ChaincodeMessage] = asyncio.get_running_loop().create_future()

    async def invoke(self, caller: Call, spec: ChaincodeSpec) -> ChaincodeMessage:
        self.asked.put_nowait((caller, spec))
        return await self.answer


class Launcher:
    """A Launcher that starts nothing; the test connects what it would have started.

    While ``go`` is cleared, a launch lasts; ``failure`` is how it then ends.
    """

    def __init__(self) -> None:
        self.launches: list[str] = []
        self.stopped: list[str] = []
        self.refusal: str | None = None
        self.started = asyncio.Event()
        self.go = asyncio.Event()
        self.go.set()
        self.failure: str | None = None
        self.on_launch: Callable[[str], object] = lambda ccid: None

    async def launch(self, ccid: str) -> None:
        self.launches.append(ccid)
        self.started.set()
        await self.go.wait()
        if self.failure is not None:
            raise ExecutionError(self.failure)
        self.on_launch(ccid)

    async def stop(self, ccid: str, *, withdrawn: bool = False) -> None:
        self.stopped.append(ccid)

    def admit(self, ccid: str, caller: StreamPeer) -> str | None:
        return self.refusal

    def patience(self, ccid: str) -> str:
        return "" if self.go.is_set() else "still building (0 s); try again"


class SupportedPeer:
    """A ChaincodeSupport with chaincodes that the test connects; ``known`` are installed."""

    def __init__(
        self,
        *,
        mode: Mode,
        caller: Callable[..., StreamPeer],
        launcher: Launcher | None = None,
        rules: Mapping[str, Any] | None = None,
        **config: Any,
    ) -> None:
        self.known = {"probe:1"}
        self.invoker = Callee()
        self.support = ChaincodeSupport(
            config=SupportConfig(**config),
            modes=Modes(mode),
            rules=AdmissionRules(is_known=lambda ccid: ccid in self.known, **(rules or {})),
            invoker=lambda: self.invoker,
            launcher=launcher,
        )
        self._caller = caller
        self._tasks: list[asyncio.Task[None]] = []

    def connect(
        self, remote: str = "127.0.0.1:1", fingerprint: str | None = None
    ) -> tuple[MemoryStream, asyncio.Task[None]]:
        """A stream that has said nothing yet, and the task that serves it."""
        stream = MemoryStream()
        task = asyncio.create_task(
            self.support.serve(stream, self._caller(remote, fingerprint)), name=remote
        )
        self._tasks.append(task)
        return stream, task

    async def chaincode(
        self, ccid: str = "probe:1", **options: Any
    ) -> tuple[MemoryStream, asyncio.Task[None]]:
        """A stream on which *ccid* has registered."""
        stream, task = self.connect(**options)
        await stream.start(ccid)
        return stream, task

    def row(self, number: int = 0) -> RuntimeRow:
        """One row of the registry."""
        return self.support.status()[number]

    async def close(self) -> None:
        """End every stream and launch."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.support.stop_all()


@asynccontextmanager
async def running(work: Coroutine[Any, Any, T]) -> AsyncIterator[asyncio.Task[T]]:
    """*work* as a task that ends with the block."""
    task = asyncio.create_task(work)
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def ended(task: asyncio.Task[None]) -> tuple[str, Ending]:
    """The sentence and code with which a stream ended."""
    with pytest.raises(StreamEnded) as end:
        async with asyncio.timeout(10):
            await task
    return end.value.sentence, end.value.code


async def until(condition: Callable[[], object]) -> None:
    """Let the loop turn until *condition* holds."""
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.001)
