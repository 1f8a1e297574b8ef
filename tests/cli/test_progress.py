"""Steps with timings: marks, notes, plain lines and a live line."""

from __future__ import annotations

import io

import pytest
from treadle_cli.progress import Progress


class Clock:
    """A clock that a test moves."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


async def test_a_step_is_told_with_its_time_and_notes() -> None:
    out, clock = io.StringIO(), Clock()
    progress = Progress(out, clock=clock)
    async with progress.step("build\n$ make") as step:
        clock.now = 2.5
        step.note("12 files")
    first, *rest = out.getvalue().splitlines()
    assert first.split() == ["✓", "build", "2.5", "s"]
    assert [line.strip() for line in rest] == ["$ make", "12 files"]
    assert progress.seconds == 2.5


async def test_a_failed_step_is_marked_and_passed_on() -> None:
    out = io.StringIO()
    with pytest.raises(RuntimeError):
        async with Progress(out).step("build"):
            raise RuntimeError
    assert out.getvalue().strip().startswith("✗ build")


async def test_without_a_terminal_nothing_is_erased_or_coloured() -> None:
    out = io.StringIO()
    progress = Progress(out)
    progress.heading("Chapter")
    async with progress.step("build"):
        pass
    assert "\x1b" not in out.getvalue()
    assert "\r" not in out.getvalue()


async def test_a_terminal_gets_colours() -> None:
    out = io.StringIO()
    async with Progress(out, live=True).step("build"):
        pass
    assert "\x1b[32m✓\x1b[0m build" in out.getvalue()
