"""Go durations (``1h30m``, ``300ms``), as Fabric's configuration files write them."""

from __future__ import annotations

import re

_SECONDS = {
    "ns": 1e-9,
    "us": 1e-6,
    "µs": 1e-6,
    "μs": 1e-6,
    "ms": 1e-3,
    "s": 1.0,
    "m": 60.0,
    "h": 3600.0,
}
_PART = re.compile(r"(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h)")


def parse_duration(text: str) -> float:
    """Seconds of the Go duration *text*.

    Raises ValueError with a sentence. A bare number other than 0 is refused: Go would read it as
    nanoseconds, which nobody means.
    """
    body = text.strip()
    sign = -1.0 if body.startswith("-") else 1.0
    body = body[1:] if body[:1] in ("+", "-") else body
    if body == "0":
        return 0.0
    if re.fullmatch(r"\d+\.?\d*|\.\d+", body):
        raise ValueError(f"a duration needs a unit, for example {body}s or {body}m")
    position, total = 0, 0.0
    for part in _PART.finditer(body):
        if part.start() != position:
            break
        total += float(part[1]) * _SECONDS[part[2]]
        position = part.end()
    if not body or position != len(body):
        raise ValueError("write a Go duration such as 300ms, 30s, 5m or 1h30m")
    return sign * total


def format_duration(seconds: float) -> str:
    """*seconds* as Go prints a duration of whole milliseconds: ``1h30m0s``, ``2.5s``, ``300ms``."""
    if seconds == 0:
        return "0s"
    if seconds < 1:
        return f"{seconds * 1000:.6g}ms"
    minutes, rest = divmod(seconds, 60)
    hours, minutes = divmod(int(minutes), 60)
    tail = f"{rest:.9g}s"
    if hours:
        return f"{hours}h{minutes}m{tail}"
    return f"{minutes}m{tail}" if minutes else tail
