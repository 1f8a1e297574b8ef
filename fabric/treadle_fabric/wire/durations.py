"""Go's duration texts (``1h30m``, ``300ms``), as channels, core.yaml and flags write them."""

from __future__ import annotations

import re

_UNITS = {
    "ns": 1e-9,
    "us": 1e-6,
    "µs": 1e-6,
    "μs": 1e-6,
    "ms": 1e-3,
    "s": 1.0,
    "m": 60.0,
    "h": 3600.0,
}
# Possessive: a hundred thousand digits cost no square of that.
_NUMBER = r"([0-9]++(?:\.[0-9]*+)?+|\.[0-9]++)"
_PART = re.compile(_NUMBER + r"(ns|us|µs|μs|ms|s|m|h)")

_TOO_LONG = 2**63 / 1e9
"""Seconds; Go counts nanoseconds in 64 bits."""


def parse_duration(text: str) -> float:
    """Seconds of a Go duration such as ``1m30s`` or ``250ms``.

    Raises ValueError in Go's words, also for a number without a unit other than 0.
    """
    sign = -1.0 if text.startswith("-") else 1.0
    rest = text[1:] if text[:1] in ("+", "-") else text
    if rest == "0":
        return 0.0
    if re.fullmatch(_NUMBER, rest):
        raise ValueError(f'time: missing unit in duration "{text}"')
    seconds, position = 0.0, 0
    while found := _PART.match(rest, position):
        seconds += float(found.group(1)) * _UNITS[found.group(2)]
        position = found.end()
    if not rest or position != len(rest) or seconds >= _TOO_LONG:
        raise ValueError(f'time: invalid duration "{text}"')
    return sign * seconds


def format_duration(seconds: float) -> str:
    """A Go duration of *seconds*, in whole seconds where possible, else in nanoseconds."""
    nanoseconds = round(seconds * 1e9)
    for unit, size in (("s", 1_000_000_000), ("ms", 1_000_000), ("us", 1_000)):
        if nanoseconds % size == 0:
            return f"{nanoseconds // size}{unit}"
    return f"{nanoseconds}ns"
