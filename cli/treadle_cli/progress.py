"""Telling what happens: a live line on a terminal, plain lines elsewhere.

async with progress.step("instantiate accounts:1") as step:
    ...
    step.note("runtime built and registered")
"""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from typing import TextIO

_FRAMES = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
_FRAME_SECONDS = 0.1
_REMINDER_SECONDS = 10.0
_BOLD, _GREEN, _RED, _DIM, _PLAIN = "\x1b[1m", "\x1b[32m", "\x1b[31m", "\x1b[2m", "\x1b[0m"


class Step:
    """One step under way. Notes appear below it when it is done."""

    def __init__(self, text: str, started: float) -> None:
        self.text = text
        self.started = started
        self.notes: list[str] = []

    def note(self, text: str) -> None:
        """Add a line of detail."""
        self.notes.append(text)


class Progress:
    """Writes headings, steps with their timings, and remarks to *stream*."""

    def __init__(
        self, stream: TextIO, *, live: bool | None = None, clock: Callable[[], float] | None = None
    ) -> None:
        self._stream = stream
        self._live = stream.isatty() if live is None else live
        self._clock = clock or time.monotonic
        self.started = self._clock()

    @property
    def seconds(self) -> float:
        """Seconds since this object was made."""
        return self._clock() - self.started

    def heading(self, text: str) -> None:
        """A new chapter."""
        self._line("")
        self._line(self._coloured(text, _BOLD))

    def say(self, text: str) -> None:
        """One remark."""
        self._line(text)

    @asynccontextmanager
    async def step(self, text: str) -> AsyncIterator[Step]:
        """Time what happens inside; a failure is marked and passed on."""
        step = Step(text, self._clock())
        ticker = asyncio.create_task(self._tick(step))
        mark, colour = "✗", _RED
        try:
            yield step
            mark, colour = "✓", _GREEN
        finally:
            ticker.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await ticker
            self._finish(step, self._coloured(mark, colour))

    def _finish(self, step: Step, mark: str) -> None:
        self._erase()
        text, *rest = step.text.splitlines()
        self._line(f"  {mark} {text:<62} {self._clock() - step.started:6.1f} s")
        for line in (*rest, *step.notes):
            self._line("      " + self._coloured(line, _DIM))

    async def _tick(self, step: Step) -> None:
        ticks = 0
        while True:
            await asyncio.sleep(_FRAME_SECONDS if self._live else _REMINDER_SECONDS)
            seconds = self._clock() - step.started
            text = step.text.splitlines()[0]
            if self._live:
                width = shutil.get_terminal_size().columns - 1
                self._write(f"\r{f'  {_FRAMES[ticks % 10]} {text} {seconds:.0f} s'[:width]}\x1b[K")
            else:
                self._line(f"  … {text} ({seconds:.0f} s)")
            ticks += 1

    def _erase(self) -> None:
        if self._live:
            self._write("\r\x1b[K")

    def _coloured(self, text: str, colour: str) -> str:
        return f"{colour}{text}{_PLAIN}" if self._live else text

    def _line(self, text: str) -> None:
        self._write(text + "\n")

    def _write(self, text: str) -> None:
        self._stream.write(text)
        self._stream.flush()


@contextlib.contextmanager
def overwritten_line(stream: TextIO) -> Iterator[Callable[[str], None] | None]:
    """Something to call with what is done at the moment: one line of a terminal, gone at the end.

    None where *stream* is no terminal.
    """
    if not stream.isatty():
        yield None
        return

    def say(text: str) -> None:
        width = shutil.get_terminal_size().columns
        stream.write(f"\r\x1b[K{text[: width - 1]}")
        stream.flush()

    try:
        yield say
    finally:
        stream.write("\r\x1b[K")
        stream.flush()
