"""Captured output: bounded on disk, its end at hand, clean enough to show."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from treadle_peer.chaincode.launch.logs import CapturedLog, LogPump, last_lines, readable


def test_files_stay_below_the_limit_and_two_older_ones_are_kept(tmp_path: Path) -> None:
    log = CapturedLog(tmp_path / "cc.log", limit=1000)
    for number in range(1000):
        log.write(b"line %06d\n" % number)
    log.close()
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ["cc.log", "cc.log.1", "cc.log.2"]
    assert all(path.stat().st_size <= 1000 for path in tmp_path.iterdir())
    assert log.tail(2) == "line 000998\nline 000999"


def test_tail_tells_only_what_came_since_the_log_was_opened(tmp_path: Path) -> None:
    first = CapturedLog(tmp_path / "cc.log", limit=1000)
    first.write(b"before\n")
    first.close()
    second = CapturedLog(tmp_path / "cc.log", limit=1000)
    second.write(b"after\n")
    second.close()
    assert second.tail() == "after"
    assert (tmp_path / "cc.log").read_text() == "before\nafter\n"


def test_writing_after_the_end_loses_the_output_but_fails_nobody(tmp_path: Path) -> None:
    log = CapturedLog(tmp_path / "cc.log", limit=1000)
    log.close()
    log.write(b"late\n")
    log.close()
    assert log.tail() == "late"


def test_terminal_escapes_and_passwords_are_taken_out() -> None:
    said = b"\x1b[1;31mERROR\x1b[0m\tcannot reach https://user:pa55@host/x\r\n\x07\xff"
    assert readable(said) == "ERROR\tcannot reach https://***@host/x\n\ufffd"


@pytest.mark.parametrize("secret", ["user:" + "x" * 5000 + "pa55", "pa55"])
def test_no_part_of_a_password_is_told_wherever_the_end_begins(secret: str) -> None:
    told = last_lines(f"cannot reach https://{secret}@host/x\n".encode())
    assert told == "cannot reach https://***@host/x"


def test_no_password_is_told_where_memory_begins_within_an_address(tmp_path: Path) -> None:
    log = CapturedLog(tmp_path / "cc.log", limit=10**6)
    log.write(b"https://user:" + b"x" * 20_000 + b"pa55@host/x is away\n")
    log.close()
    assert log.tail() == "***@host/x is away"


@given(st.binary(max_size=9000), st.integers(min_value=1, max_value=50))
def test_last_lines_are_few_and_printable(content: bytes, lines: int) -> None:
    told = last_lines(content, lines)
    assert len(told.splitlines()) <= lines or "\u2028" in told or "\x85" in told
    assert "\x1b" not in told


@pytest.mark.parametrize("size", [1, 7, 70_000])
def test_memory_for_the_tail_is_bounded(tmp_path: Path, size: int) -> None:
    log = CapturedLog(tmp_path / "cc.log", limit=10**6)
    for _ in range(200_000 // size if size > 1 else 40_000):
        log.write(b"x" * size)
    held = sum(map(len, log._recent))
    assert held <= 2 * 16 * 1024
    log.close()


def test_a_program_that_prints_without_end_is_read_at_a_bounded_rate(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    log = CapturedLog(tmp_path / "cc.log", limit=1 << 20)
    pump = LogPump(os.fdopen(reading, "rb", buffering=0), log)
    begun = time.monotonic()
    pump.start()
    for _ in range(64):
        os.write(writing, b"x" * 65536)
    os.close(writing)
    pump.join(timeout=30)
    assert not pump.is_alive()
    assert time.monotonic() - begun >= 64 * 65536 / (16 << 20)
