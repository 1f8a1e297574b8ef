"""One started container: its output, its end."""

from __future__ import annotations

import asyncio
import logging
import threading
from contextlib import closing, suppress
from typing import Final

from treadle_peer.chaincode.launch.containers.calling import call
from treadle_peer.chaincode.launch.containers.engine import ContainerPlan, Engine, EngineError
from treadle_peer.chaincode.launch.logs import CapturedLog, copy_bounded

_LOG = logging.getLogger(__name__)
_UNKNOWN: Final = 255
"""The exit code of a container whose engine does not tell it any more."""
_SECONDS: Final = 5.0


async def create(engine: Engine, plan: ContainerPlan) -> str:
    """A new container's id; raises EngineError.

    One that comes when nobody waits for it any more is removed: nobody else knows of it. One that
    comes later than that is removed at the peer's next start.
    """
    creating = asyncio.ensure_future(call(engine.create, plan))
    try:
        return await asyncio.shield(creating)
    except asyncio.CancelledError:
        with suppress(EngineError, TimeoutError):
            async with asyncio.timeout(_SECONDS):
                await call(engine.remove, await creating)
        raise


class RunningContainer:
    """Implements Running. ``end`` removes the container."""

    def __init__(self, *, engine: Engine, container: str, log: CapturedLog) -> None:
        self._engine = engine
        self._container = container
        self._loop = asyncio.get_running_loop()
        self._exited: asyncio.Future[int] = self._loop.create_future()
        self._ended: asyncio.Task[None] | None = None
        self._watch = _Watch(self, engine=engine, container=container, log=log)

    @property
    def pid(self) -> int:
        """See Running: the engine may be on another machine."""
        return 0

    @property
    def running(self) -> bool:
        """See Running."""
        return not self._exited.done()

    async def start(self) -> None:
        """Start it; nothing that it prints is missed. Raises EngineError."""
        await call(self._watch.attach)
        self._watch.start()
        await call(self._engine.start, self._container)

    async def exited(self) -> int:
        """See Running."""
        return await asyncio.shield(self._exited)

    def members(self) -> list[int]:
        """See Running."""
        return []

    async def end(self, *, grace: float) -> None:
        """See Running."""
        if self._ended is None:
            self._ended = asyncio.create_task(self._end(grace))
        await asyncio.shield(self._ended)

    def told(self, code: int) -> None:
        """Called by the watching thread when the container has ended."""
        with suppress(RuntimeError):  # the loop is closed: nobody waits any more
            self._loop.call_soon_threadsafe(self._settle, code)

    async def _end(self, grace: float) -> None:
        try:
            if grace > 0 and self.running:
                await call(self._engine.stop, self._container, grace=grace)
            await call(self._engine.remove, self._container)
        except EngineError as error:
            _LOG.warning(
                "container %s: %s; it is removed at the peer's next start",
                self._container[:12],
                error,
            )
        # The log has everything that was printed once the exit is told. An engine that does not
        # answer must not keep the peer from stopping.
        if self._watch.ident is not None:
            with suppress(TimeoutError):
                async with asyncio.timeout(_SECONDS):
                    await self.exited()
        self._settle(_UNKNOWN)

    def _settle(self, code: int) -> None:
        if not self._exited.done():
            self._exited.set_result(code)


class _Watch(threading.Thread):
    """Copies the output into the log, then waits for the exit code.

    A thread of its own: it sits in a read for as long as the container lives.
    """

    def __init__(
        self, running: RunningContainer, *, engine: Engine, container: str, log: CapturedLog
    ) -> None:
        super().__init__(name=f"container {container[:12]}", daemon=True)
        self._running = running
        self._engine = engine
        self._container = container
        self._log = log

    def attach(self) -> None:
        """Begin to listen, before the start. Raises EngineError."""
        self._output = self._engine.output(self._container)

    def run(self) -> None:
        """Copy, wait, tell."""
        code = _UNKNOWN
        try:
            with self._engine.errors(), closing(self._output):
                copy_bounded(self._output, self._log)
        except EngineError as error:
            self._log.write(f"\n(no more output: {error})\n".encode())
        try:
            code = self._engine.wait(self._container)
        except EngineError as error:
            self._log.write(f"\n(its end is not known: {error})\n".encode())
        self._running.told(code)
