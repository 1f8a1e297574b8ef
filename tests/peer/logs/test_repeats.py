"""Lines that strangers can cause: the first at once, then counts, and never a flood."""

from __future__ import annotations

import asyncio
import itertools
import logging

import pytest
from treadle_peer.logs import Repeats

LOGGER = logging.getLogger("treadle_peer.test.repeats")


class Clock:
    """Seconds that pass when told to."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def repeats(clock: Clock) -> Repeats:
    return Repeats(LOGGER, interval=10, most=3, clock=clock)


def test_the_first_is_written_at_once_and_others_are_counted(
    repeats: Repeats, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(500):
        repeats.warning("mallory:1 refused")
    assert caplog.messages == ["mallory:1 refused"]
    clock.now = 12
    repeats.flush()
    assert caplog.messages[1:] == ["mallory:1 refused (and 499 more like it in 12 s)"]


def test_another_name_or_reason_has_a_line_of_its_own(
    repeats: Repeats, caplog: pytest.LogCaptureFixture
) -> None:
    repeats.warning("a refused")
    repeats.warning("b refused")
    assert caplog.messages == ["a refused", "b refused"]


def test_texts_that_differ_in_numbers_are_alike(
    repeats: Repeats, caplog: pytest.LogCaptureFixture
) -> None:
    for port in range(1000, 1100):
        repeats.warning(f"x-{port}:1 (127.0.0.1:{port}) refused: 0af{port}ce is taken")
    assert len(caplog.messages) == 1


def test_what_is_quiet_for_an_interval_is_news_again(
    repeats: Repeats, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    repeats.warning("a refused")
    clock.now = 10
    repeats.warning("a refused")
    assert caplog.messages == ["a refused"] * 2


def test_what_goes_on_costs_a_line_per_interval(
    repeats: Repeats, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(1000):
        clock.now += 0.1
        repeats.warning("a refused")
    assert len(caplog.messages) <= 11


def test_invented_names_cannot_flood_the_log(
    repeats: Repeats, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    letters = itertools.product("ghijklmnop", repeat=4)
    for name in map("".join, letters):
        repeats.warning(f"{name} refused")
    assert caplog.messages == [f"ggg{last} refused" for last in "ghi"]
    clock.now = 10
    repeats.flush()
    assert caplog.messages[3:] == ["others of many kinds (and 9997 more like it in 10 s)"]


def test_a_line_is_one_line_of_bounded_length(
    repeats: Repeats, caplog: pytest.LogCaptureFixture
) -> None:
    repeats.warning("a\n\x1b[31mforged line" + "x" * 5000)
    [line] = caplog.messages
    assert line.startswith("a??[31mforged line")
    assert len(line) == 1001


def test_levels_that_are_not_logged_are_not_counted(caplog: pytest.LogCaptureFixture) -> None:
    repeats = Repeats(LOGGER, interval=0.0)
    with caplog.at_level(logging.ERROR, logger=LOGGER.name):
        repeats.warning("a refused")
    repeats.flush()
    assert not caplog.messages


class Second(logging.Handler):
    """Sets ``came`` with the second line."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []
        self.came = asyncio.Event()

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())
        if len(self.lines) == 2:
            self.came.set()


async def test_the_count_comes_also_when_nothing_more_happens() -> None:
    repeats, second = Repeats(LOGGER, interval=0.02), Second()
    LOGGER.addHandler(second)
    try:
        for _ in range(3):
            repeats.warning("a refused")
        async with asyncio.timeout(10):
            await second.came.wait()
    finally:
        LOGGER.removeHandler(second)
    assert "2 more like it" in second.lines[1]


def test_what_is_about_another_is_told_although_only_a_number_differs(
    caplog: pytest.LogCaptureFixture,
) -> None:
    repeats = Repeats(LOGGER)
    for ccid in ("org1cc:1", "org2cc:7", "org1cc:1"):
        repeats.warning(f"stream of {ccid} ended", about=ccid)
    assert caplog.messages == ["stream of org1cc:1 ended", "stream of org2cc:7 ended"]
