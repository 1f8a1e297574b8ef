"""Start a process of the machine, wait for what it says, and end it by its recorded pid."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

POLL = 0.05  # seconds between two looks at a condition that gives no event


class Deadline(AssertionError):
    """What was waited for did not come in time."""


def wait_until(condition: Callable[[], object], *, within: float, what: str) -> None:
    """Look at *condition* until it holds; Deadline names *what* after *within* seconds."""
    end = time.monotonic() + within
    while not condition():
        if time.monotonic() > end:
            raise Deadline(f"{what}: not within {within:g} s")
        time.sleep(POLL)


class Started:
    """A process in a group of its own, its output in a file."""

    def __init__(
        self,
        command: Sequence[str],
        *,
        output: Path,
        environment: Mapping[str, str] | None = None,
        cwd: Path | None = None,
    ) -> None:
        self.command = list(command)
        self.output = output
        with output.open("ab") as sink:
            self._process = subprocess.Popen(
                self.command,
                cwd=cwd,
                env=dict(os.environ if environment is None else environment),
                stdin=subprocess.DEVNULL,
                stdout=sink,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        return self._process.pid

    def running(self) -> bool:
        return self._process.poll() is None

    def text(self) -> str:
        """Everything it has printed."""
        return self.output.read_text(errors="replace")

    def wait(self, *, within: float) -> int:
        """Its exit code; it has to end by itself."""
        try:
            return self._process.wait(timeout=within)
        except subprocess.TimeoutExpired:
            raise Deadline(f"{self.command[0]} still runs after {within:g} s") from None

    def wait_for_text(self, text: str, *, within: float) -> None:
        """Return once *text* was printed; a process that ends before is shown whole."""

        def said() -> bool:
            if text in self.text():
                return True
            if not self.running():
                raise Deadline(f"{self.command} ended before it said {text!r}:\n{self.text()}")
            return False

        wait_until(said, within=within, what=f"{self.command[0]} saying {text!r}")

    def kill(self) -> None:
        """SIGKILL to the process alone, as a crash would be."""
        self._process.kill()
        self._process.wait()

    def stop(self, *, within: float = 20) -> None:
        """SIGTERM to its group, then SIGKILL."""
        if self.running():
            os.killpg(self.pid, signal.SIGTERM)
            try:
                self._process.wait(timeout=within)
            except subprocess.TimeoutExpired:
                os.killpg(self.pid, signal.SIGKILL)
                self._process.wait()


def keep_running(processes: Sequence[Started], *, seconds: float) -> None:
    """Let that many seconds pass; a process that ends in them is shown whole, at once."""
    watch = select.poll()
    watched = {os.pidfd_open(process.pid): process for process in processes}
    try:
        for descriptor in watched:
            watch.register(descriptor, select.POLLIN)
        for descriptor, _ in watch.poll(max(0.0, seconds) * 1000):
            ended = watched[descriptor]
            raise AssertionError(f"{ended.command} ended:\n{ended.text()}")
    finally:
        for descriptor in watched:
            os.close(descriptor)
