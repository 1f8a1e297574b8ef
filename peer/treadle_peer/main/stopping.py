"""How long an orderly stop waits."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

LEAST: Final = 2.0
"""Seconds that a step has after others have used up all: what is already written is finished."""


class Patience:
    """All steps of a stop together; what one of them does not need, the next one has."""

    def __init__(self, seconds: float, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._clock = clock
        self._end: float | None = None

    def left(self) -> float:
        """Seconds for the step that begins now; they count from the first call on."""
        now = self._clock()
        if self._end is None:
            self._end = now + self._seconds
        return max(self._end - now, min(LEAST, self._seconds))
