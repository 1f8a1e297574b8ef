"""The developer's command in the foreground: terminal, job control, its own process group.

A debugger needs the terminal whole: it reads from it, sets its modes, and takes Ctrl-C for itself.
So the command becomes the terminal's foreground group, as a shell would make it, and all that it
starts ends with that group.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from treadle_cli.dev.child import ENDED, change
from treadle_cli.dev.keyboard import Keyboard
from treadle_cli.dev.terminal import Terminal
from treadle_cli.errors import TreadleError

_GRACE_SECONDS: Final = 3.0
_WAITS_FOR_TERMINAL: Final = frozenset({signal.SIGTTIN, signal.SIGTTOU})


class Job:
    """One running command; *terminal* is lent to it until it ends.

    ``interrupted``: it has ended because Ctrl-C was typed there.
    """

    def __init__(self, process: subprocess.Popen[bytes], terminal: Terminal | None) -> None:
        self.interrupted = False
        self._process = process
        self._terminal = terminal
        self._keyboard = Keyboard(self._member) if terminal is not None else None
        self._code: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    @property
    def pid(self) -> int:
        """Of the command, which is the id of its group, too."""
        return self._process.pid

    async def ended(self) -> int:
        """Its exit code; negative: the signal that ended it."""
        return await asyncio.shield(self._code)

    def send(self, number: int) -> None:
        """Send a signal to the whole group, also to what stands at a breakpoint."""
        # Once nobody waits for the command, its number may be another group's.
        if self._code.done():
            return
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, number)

    async def end(self, number: int = signal.SIGTERM) -> int:
        """End the group: *number*, and after a grace time SIGKILL; the command's exit code."""
        if not self._code.done():
            self.send(number)
            self.send(signal.SIGCONT)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_GRACE_SECONDS):
                    await self.ended()
        self.send(signal.SIGKILL)
        return await self.ended()

    def look(self) -> None:
        """Something has happened to a child of ours (SIGCHLD)."""
        while not self._code.done():
            changed = change(self._process)
            if changed == ENDED:
                return self._over()
            if self._keyboard is not None:
                self._keyboard.look()
            if changed is None:
                return
            self._stopped(changed)

    def _over(self) -> None:
        # What it has started may outlive it. Only as long as it is waited for, the group is its;
        # where it cannot be left waiting, this is at once after its end.
        self.send(signal.SIGKILL)
        if self._keyboard is not None:
            self.interrupted = self._keyboard.over()
        code = self._process.wait()
        if self._terminal is not None:
            self._terminal.take_back()
        self._code.set_result(code)

    def _member(self) -> subprocess.Popen[bytes] | None:
        """A program in its group that does nothing; None where there is none, or it is over."""
        quiet = subprocess.DEVNULL
        try:
            command = _ending_with_us(["sleep", "infinity"], os.environ)
            return subprocess.Popen(  # noqa: S603 - our own words
                command, stdin=quiet, stdout=quiet, stderr=quiet, process_group=self.pid
            )
        except (OSError, subprocess.SubprocessError):
            return None

    def _stopped(self, number: int) -> None:
        if self._terminal is None:
            return
        if number in _WAITS_FOR_TERMINAL:
            # It was faster than we in lending it.
            self._terminal.lend(self.pid)
            self.send(signal.SIGCONT)
        elif number == signal.SIGTSTP:
            # Ctrl-Z: back to the shell, which sees only us; it continues us with fg or bg.
            self._terminal.take_back()
            os.killpg(os.getpgrp(), signal.SIGSTOP)
            self._terminal.lend(self.pid)
            self.send(signal.SIGCONT)


class Foreground:
    """Starts commands, one at a time; hears of their ends within ``hearing``."""

    def __init__(self) -> None:
        self._terminal = Terminal.of_ours()
        self._job: Job | None = None

    @contextlib.contextmanager
    def hearing(self) -> Iterator[None]:
        """As long as commands run."""
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGCHLD, self._look)
        try:
            yield
        finally:
            loop.remove_signal_handler(signal.SIGCHLD)

    def start(self, command: Sequence[str], environment: Mapping[str, str]) -> Job:
        """Run *command* here; raises TreadleError when it cannot be started."""
        try:
            process = subprocess.Popen(  # noqa: S603 - what the developer has typed
                _ending_with_us(command, environment), env=dict(environment), process_group=0
            )
        except OSError as error:
            raise TreadleError(f"cannot start {command[0]}: {error.strerror}") from None
        job = self._job = Job(process, self._terminal)
        if self._terminal is not None:
            self._terminal.lend(job.pid)
        # It may have ended before anybody listened.
        job.look()
        return job

    def _look(self) -> None:
        if self._job is not None:
            self._job.look()


def _ending_with_us(command: Sequence[str], environment: Mapping[str, str]) -> list[str]:
    """*command* so that it gets SIGTERM when we are killed; unchanged where that is impossible.

    Raises OSError when there is no such program: what wraps it would say it in other words.
    """
    wrapper = shutil.which("setpriv")
    if wrapper is None:
        return list(command)
    program = shutil.which(command[0], path=environment.get("PATH"))
    if program is None:
        raise FileNotFoundError(None, "no such program, or not executable")
    return [wrapper, "--pdeathsig", "TERM", "--", program, *command[1:]]
