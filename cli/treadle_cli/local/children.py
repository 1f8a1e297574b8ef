"""Child processes that end with us: their own session, output in a file, bounded stop."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import Mapping, Sequence
from pathlib import Path

from treadle_cli.errors import TreadleError

_KILL_SECONDS = 5.0


class Child:
    """One running process with everything that it starts."""

    def __init__(self, process: asyncio.subprocess.Process, *, name: str, log: Path) -> None:
        self._process = process
        self.name = name
        self.log = log

    @classmethod
    async def start(
        cls,
        command: Sequence[str],
        *,
        name: str,
        log: Path,
        environment: Mapping[str, str],
        folder: Path,
    ) -> Child:
        """Start *command* in *folder*; its output is appended to *log*. Raises TreadleError."""
        with log.open("ab") as output:
            try:
                process = await asyncio.create_subprocess_exec(
                    *command,
                    stdin=asyncio.subprocess.DEVNULL,
                    stdout=output,
                    stderr=output,
                    env=dict(environment),
                    cwd=folder,
                    start_new_session=True,
                )
            except OSError as error:
                raise TreadleError(f"cannot start {command[0]}: {error.strerror}") from error
        return cls(process, name=name, log=log)

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether it has not ended."""
        return self._process.returncode is None

    def check(self) -> None:
        """Raise TreadleError with the last lines of its output when it has ended."""
        if not self.running:
            text = f"{self.name} ended with exit code {self._process.returncode}"
            raise TreadleError(text, last_lines(self.log))

    async def wait(self, *, within: float) -> int:
        """Its exit code; raises TreadleError, and kills it, when it does not end in time."""
        try:
            async with asyncio.timeout(within):
                return await self._process.wait()
        except TimeoutError:
            await self.stop(within=0.0)
            raise TreadleError(
                f"{self.name} did not end within {within:g} s", last_lines(self.log)
            ) from None

    async def stop(self, *, within: float = 20.0) -> int:
        """Ask it to end, and end its whole group when it does not; its exit code."""
        if self.running:
            with contextlib.suppress(ProcessLookupError):
                self._process.terminate()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(within):
                    await self._process.wait()
        # Also when the process itself has ended: it may have left children in its group.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        async with asyncio.timeout(_KILL_SECONDS):
            return await self._process.wait()


def last_lines(file: Path, count: int = 15) -> str:
    """The end of a log, for error messages."""
    try:
        lines = file.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    return "\n".join(lines[-count:])


async def poll(seconds: float = 0.1) -> None:
    """Pause between two questions to a process of which no event can tell."""
    await asyncio.sleep(seconds)
