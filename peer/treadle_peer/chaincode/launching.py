"""Launches of production chaincode: one at a time per ccid, shared by all who wait for it.

A launch belongs to the peer: whoever asked first may give up, the launch goes on
(fabric-wire.md §2.7).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from treadle_peer.chaincode.observing import LaunchEnd, Observer
from treadle_peer.chaincode.streams import StreamPeer
from treadle_peer.execution import ExecutionError

log = logging.getLogger(__name__)

STOPPING = "the peer is stopping"
FIRST_DELAY = 0.5
LONGEST_DELAY = 30.0
STEADY_SECONDS = 10.0
"""A process that lived this long starts with a clean record."""


class Launcher(Protocol):
    """Builds and starts production chaincode."""

    async def launch(self, ccid: str) -> None:
        """Build if needed and start; returns when the process runs. Raises ExecutionError."""

    async def stop(self, ccid: str, *, withdrawn: bool = False) -> None:
        """End what was started for *ccid*; nothing to do is fine. *withdrawn*: it is no failure."""

    def patience(self, ccid: str) -> str:
        """``still building (42 s); try again`` while it launches *ccid*, else empty."""

    def admit(self, ccid: str, caller: StreamPeer) -> str | None:
        """``None`` when *caller* is what was launched for *ccid*, else the refusal."""


@dataclass(slots=True)
class _Record:
    failures: int = 0
    not_before: float = 0.0


class _Pending:
    """One launch in progress."""

    def __init__(self) -> None:
        self.settled = asyncio.Event()
        self.started = False
        self.failure: str | None = None
        self.timed_out = False
        self.withdrawn = False
        self.task: asyncio.Task[str | None]

    def settle(self, failure: str | None) -> None:
        if not self.settled.is_set():
            self.failure = failure
            self.settled.set()


class Launches:
    """All launches of the peer.

    *startup_timeout* (seconds) counts from the end of the build to the registration. After a
    failed launch or an early death the next launch waits: 0.5 s, doubling to 30 s.
    *report* gets ccid and cause of every failed launch, also of those that nobody waits for, and
    None instead of a cause when a launch was given up.
    """

    def __init__(
        self,
        *,
        launcher: Launcher,
        startup_timeout: float,
        report: Callable[[str, str | None], None],
        observer: Observer,
    ) -> None:
        self._launcher = launcher
        self._observer = observer
        self._report = report
        self._startup_timeout = startup_timeout
        self._pending: dict[str, _Pending] = {}
        self._records: dict[str, _Record] = {}
        self._closed = False

    async def join(self, ccid: str) -> None:
        """Wait until a process of *ccid* has registered, launching it if nobody does yet.

        Raises ExecutionError with the cause. Cancelling stops the waiting, not the launch.
        """
        if self._closed:
            raise ExecutionError(STOPPING)
        pending = self._pending.get(ccid)
        if pending is None:
            pending = _Pending()
            self._pending[ccid] = pending
            pending.task = asyncio.create_task(self._run(ccid, pending))
        try:
            failure = await asyncio.shield(pending.task)
        except asyncio.CancelledError:
            if not pending.task.cancelled():
                raise
            # It was given up before it had begun to run.
            self._pending.pop(ccid, None)
            if pending.withdrawn:
                self._report(ccid, None)
            raise ExecutionError(pending.failure or STOPPING) from None
        if failure is not None:
            raise ExecutionError(failure)

    def patience(self, ccid: str) -> str:
        """What to tell somebody who cannot wait for the end of a launch."""
        put_off = "its next launch is put off because the last one failed; try again"
        return self._launcher.patience(ccid) or put_off

    def launching(self, ccid: str) -> bool:
        """Whether a launch of *ccid* is in progress."""
        return ccid in self._pending

    def registered(self, ccid: str) -> None:
        """A process of *ccid* takes transactions now."""
        pending = self._pending.get(ccid)
        if pending is not None:
            pending.settle(None)

    def failed(self, ccid: str, sentence: str) -> None:
        """The launched process cannot register any more, e.g. ``container exited with 1``.

        While the launch has not started its own process, this is about an earlier one.
        """
        pending = self._pending.get(ccid)
        if pending is not None and pending.started:
            pending.settle(f"chaincode registration failed: {sentence}")

    def give_up(self, ccid: str, sentence: str) -> None:
        """Nobody is to launch *ccid* now; who waits for that is told. It is no failure."""
        pending = self._pending.get(ccid)
        if pending is not None and not pending.settled.is_set():
            pending.withdrawn = True
            pending.settle(sentence)
            pending.task.cancel()

    def died(self, ccid: str, *, lived: float) -> None:
        """A registered process is gone after *lived* seconds."""
        if lived >= STEADY_SECONDS:
            self._records.pop(ccid, None)
        else:
            self._postpone(ccid)

    async def close(self) -> None:
        """End all launches and start no more; those who wait get an error. Idempotent."""
        self._closed = True
        tasks = [pending.task for pending in self._pending.values()]
        for pending in self._pending.values():
            pending.settle(STOPPING)
            pending.task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _run(self, ccid: str, pending: _Pending) -> str | None:
        """The failure, or ``None``; never raises, for perhaps nobody waits any more."""
        clock = asyncio.get_running_loop().time
        begun = clock()
        try:
            failure = await self._attempt(ccid, pending)
        except ExecutionError as refused:
            failure = str(refused)
        except asyncio.CancelledError:
            failure = pending.failure or STOPPING
        except Exception as broken:
            log.exception("launching %s failed", ccid)
            failure = f"error starting container: {broken}"
        finally:
            del self._pending[ccid]
        if pending.withdrawn:
            self._report(ccid, None)
            return pending.failure
        self._observer.launch_ended(ccid, _end(pending, failure), seconds=clock() - begun)
        if failure is not None:
            self._postpone(ccid)
            self._report(ccid, failure)
            log.warning("could not launch chaincode %s: %s", ccid, failure)
        return failure

    async def _attempt(self, ccid: str, pending: _Pending) -> str | None:
        record = self._records.get(ccid)
        if record is not None:
            await asyncio.sleep(record.not_before - asyncio.get_running_loop().time())
        await self._launcher.launch(ccid)
        pending.started = True
        try:
            async with asyncio.timeout(self._startup_timeout):
                await pending.settled.wait()
        except TimeoutError:
            pending.timed_out = True
            pending.settle(f"timeout expired while starting chaincode {ccid} for transaction")
        except asyncio.CancelledError:
            if pending.withdrawn:
                await self._launcher.stop(ccid, withdrawn=True)
            raise
        if pending.failure is not None:
            await self._launcher.stop(ccid)
        return pending.failure

    def _postpone(self, ccid: str) -> None:
        record = self._records.setdefault(ccid, _Record())
        delay = min(LONGEST_DELAY, FIRST_DELAY * 2 ** min(record.failures, 10))
        record.failures += 1
        record.not_before = asyncio.get_running_loop().time() + delay


def _end(pending: _Pending, failure: str | None) -> LaunchEnd:
    if failure is None:
        return LaunchEnd.REGISTERED
    return LaunchEnd.TIMED_OUT if pending.timed_out else LaunchEnd.FAILED
