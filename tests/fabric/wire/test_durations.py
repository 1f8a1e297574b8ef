"""Go's duration texts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from treadle_fabric.wire import format_duration, parse_duration


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("2s", 2.0),
        ("250ms", 0.25),
        ("1m30s", 90.0),
        ("1h0m0.5s", 3600.5),
        (".5s", 0.5),
        ("1.s", 1.0),
        ("10us", 1e-5),
        ("10µs", 1e-5),
        ("0", 0.0),
        ("-1s", -1.0),
        ("+1s", 1.0),
        ("1h30m", 5400.0),
        ("1m0.5s", 60.5),
    ],
)
def test_durations_read_as_go_reads_them(text, seconds):
    assert parse_duration(text) == pytest.approx(seconds)


@pytest.mark.parametrize("text", ["", "s", "2 s", "2s ", "-", "1d", "two", "1h-3m", "--2s", "1e3s"])
def test_other_texts_are_refused(text):
    with pytest.raises(ValueError, match="time: invalid duration"):
        parse_duration(text)


@pytest.mark.parametrize("text", ["2", "-2", "2.5", "+.5"])
def test_a_number_alone_is_no_duration(text):
    with pytest.raises(ValueError, match="time: missing unit in duration"):
        parse_duration(text)


@given(st.integers(1, 10**15))
def test_what_is_written_reads_back(nanoseconds):
    seconds = nanoseconds / 1e9
    assert parse_duration(format_duration(seconds)) == pytest.approx(seconds)
