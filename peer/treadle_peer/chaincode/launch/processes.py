"""Starting a program in its own session, knowing when it ends, ending all of it.

Start, environment and limits are the caller's; here is what holds for builds and chaincode alike:
a group of its own, output captured, no shell, no inherited descriptors, dead with the peer.
"""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final, cast

from treadle_peer.chaincode.launch import child, proc
from treadle_peer.chaincode.launch.logs import CapturedLog, LogPump
from treadle_peer.chaincode.launch.records import LaunchRecords

_POLL_SECONDS: Final = 0.05
_KILL_SECONDS: Final = 5.0
_DRAIN_SECONDS: Final = 1.0
_SIGNALLED: Final = 128


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """What to run. ``environment`` is complete: nothing is inherited."""

    arguments: Sequence[str]
    folder: Path
    environment: Mapping[str, str]
    memory_bytes: int | None = None


class RunningProgram:
    """A started program with everything that it started itself."""

    def __init__(
        self, *, process: subprocess.Popen[bytes], token: str, records: LaunchRecords, pump: LogPump
    ) -> None:
        self._process = process
        self._token = token
        self._records = records
        self._pump = pump
        self._loop = asyncio.get_running_loop()
        self._exited: asyncio.Future[int] = self._loop.create_future()
        # Readable once the process has ended; needs neither a signal handler nor a thread.
        self._handle = os.pidfd_open(process.pid)
        self._loop.add_reader(self._handle, self._on_exit)

    @property
    def pid(self) -> int:
        """The process, which is also the id of its group and session."""
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether the program itself lives; what it started may outlive it."""
        return not self._exited.done()

    async def exited(self) -> int:
        """Wait for the program's end; its exit code as containers show it, 128 + n for a signal."""
        return await asyncio.shield(self._exited)

    def members(self) -> list[int]:
        """The ids of all living processes in the program's group."""
        # A group keeps its id in use until its last member is gone.
        return proc.group_members(self.pid)

    async def end(self, *, grace: float) -> None:
        """SIGTERM to everything it started, then after *grace* seconds SIGKILL.

        Returns when all of it is gone and its output is in the log. Idempotent.
        """
        if not await self._signal_until_gone(signal.SIGTERM, seconds=grace):
            await self._signal_until_gone(signal.SIGKILL, seconds=_KILL_SECONDS)
        await self.exited()
        self._records.ended(self._token)
        await asyncio.to_thread(self._pump.join, _DRAIN_SECONDS)

    async def _signal_until_gone(self, number: signal.Signals, *, seconds: float) -> bool:
        deadline = self._loop.time() + seconds
        told: set[tuple[int, int]] = set()
        while survivors := await asyncio.to_thread(self._survivors):
            for process in survivors:
                if (process.pid, process.started) not in told:
                    proc.signal_process(process, number)
                    told.add((process.pid, process.started))
            if self._loop.time() >= deadline:
                return False
            await asyncio.sleep(_POLL_SECONDS)
        return True

    def _survivors(self) -> list[proc.ProcessStat]:
        # Once the leader is reaped its id may come to mean another group, so only tokens count.
        group = self.pid if self._process.returncode is None else None
        return proc.launched_processes(token=self._token, group=group)

    def _on_exit(self) -> None:
        self._loop.remove_reader(self._handle)
        os.close(self._handle)
        code = self._process.wait()
        self._exited.set_result(code if code >= 0 else _SIGNALLED - code)


def start_program(
    program: Program, *, purpose: str, log: CapturedLog, records: LaunchRecords
) -> RunningProgram:
    """Start *program*; its output goes to *log*. Raises OSError when that is impossible.

    A program that does not exist is started all the same, says so in its log and exits with 127.
    """
    token = records.announce(purpose)
    launcher = [sys.executable, "-I", "-S", child.__file__, str(os.getpid())]
    try:
        process = subprocess.Popen(  # noqa: S603 - the arguments are ours, no shell
            [*launcher, str(program.memory_bytes or 0), *program.arguments],
            cwd=program.folder,
            env={**program.environment, proc.TOKEN_VARIABLE: token},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            bufsize=0,
        )
    except OSError:
        records.ended(token)
        raise
    records.started(token, purpose=purpose, pid=process.pid)
    assert process.stdout is not None  # noqa: S101 - PIPE was asked for
    pump = LogPump(cast("BinaryIO", process.stdout), log)
    pump.start()
    return RunningProgram(process=process, token=token, records=records, pump=pump)


async def run_to_end(
    program: Program, *, purpose: str, log: CapturedLog, records: LaunchRecords
) -> int:
    """Run a program that is expected to end; its exit code. When cancelled, all of it is killed."""
    running = start_program(program, purpose=purpose, log=log, records=records)
    try:
        return await running.exited()
    finally:
        await asyncio.shield(running.end(grace=0.0))
