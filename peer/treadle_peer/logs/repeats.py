"""Lines that somebody else decides how often to cause: the first at once, then counts."""

from __future__ import annotations

import asyncio
import logging
import re
import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Final

INTERVAL: Final = 10.0
"""Seconds between two lines about the same."""
MOST: Final = 32
"""So many different things are told apart in one interval; a stranger may invent names."""

LONGEST: Final = 1000
"""Characters of a line; what strangers send may be in it."""

# Possessive, from the start of a run: a thousand hex letters cost no square of that.
_NUMBERS: Final = re.compile(r"(?<![0-9a-f])[a-f]*+[0-9][0-9a-f]*+")
_OTHERS: Final = object()


@dataclass(slots=True)
class _Told:
    """A line that was written, and how many like it were not."""

    since: float
    level: int
    text: str
    left_out: int = 0


class Repeats:
    """Writes to *logger* at most one line per *interval* about the same, and *most* in all."""

    def __init__(
        self,
        logger: logging.Logger,
        *,
        interval: float = INTERVAL,
        most: int = MOST,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._logger = logger
        self._interval = interval
        self._most = most
        self._clock = clock
        self._told: dict[Hashable, _Told] = {}
        self._timer: asyncio.TimerHandle | None = None

    def warning(self, text: str, *, about: str = "") -> None:
        """Write *text*, or count it when one like it was written within the interval.

        Alike are texts *about* the same that differ in numbers only: addresses, times, hashes,
        numbered names.
        """
        self.log(logging.WARNING, text, about=about)

    def log(self, level: int, text: str, *, about: str = "") -> None:
        """The same at any level."""
        if not self._logger.isEnabledFor(level):
            return
        key = (about, _NUMBERS.sub("#", text[:LONGEST]))
        now = self._clock()
        self.flush()
        told = self._told.get(key) or self._told.get(_OTHERS)
        if told is None or (key not in self._told and len(self._told) < self._most):
            text = _shown(text)
            self._logger.log(level, "%s", text)
            self._told[key] = _Told(now, level, text)
        else:
            told.left_out += 1
        if len(self._told) >= self._most:
            self._told.setdefault(_OTHERS, _Told(now, level, "others of many kinds"))
        self._arm()

    def flush(self) -> None:
        """Write the counts of intervals that are over."""
        now = self._clock()
        for key, told in list(self._told.items()):
            if now - told.since < self._interval:
                continue
            if not told.left_out:
                del self._told[key]
                continue
            self._logger.log(
                told.level,
                "%s (and %d more like it in %.0f s)",
                told.text,
                told.left_out,
                now - told.since,
            )
            told.since, told.left_out = now, 0

    def _arm(self) -> None:
        """Have the counts written also when nothing more comes."""
        if self._timer is not None:
            return
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            return  # then the next line brings them
        self._timer = loop.call_later(self._interval, self._expired)

    def _expired(self) -> None:
        self._timer = None
        self.flush()
        if self._told:
            self._arm()


def _shown(text: str) -> str:
    """*text* on one line, without what a terminal would obey."""
    short = text if len(text) <= LONGEST else text[:LONGEST] + "…"
    return "".join(one if one.isprintable() else "?" for one in short)
