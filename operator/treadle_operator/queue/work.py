"""The work queue: each key once, one at a time, later after a failure, sooner when woken. Pure.

Times are seconds of any steady clock, given by the caller.
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Final, Generic, TypeVar

FIRST_DELAY: Final = 1.0
LONGEST_DELAY: Final = 300.0

_K = TypeVar("_K", bound=Hashable)


@dataclass(slots=True)
class WorkQueue(Generic[_K]):
    """Keys that wait, keys in work, keys that wait for their time.

    A key that is added while it is in work is taken again afterwards: what came during a
    reconcile may be newer than what it has read. Of the keys that wait, those that ``is_first``
    says yes to are taken before all others: few keys, for whose progress many others wait.
    """

    is_first: Callable[[_K], bool] = lambda key: False
    _first: dict[_K, None] = field(default_factory=dict)  # an ordered set, as is the next one
    _ready: dict[_K, None] = field(default_factory=dict)
    _working: set[_K] = field(default_factory=set)
    _dirty: set[_K] = field(default_factory=set)
    _woken: set[_K] = field(default_factory=set)
    _failures: dict[_K, int] = field(default_factory=dict)
    _due: dict[_K, float] = field(default_factory=dict)
    _timers: list[tuple[float, int, _K]] = field(default_factory=list)
    _order: itertools.count[int] = field(default_factory=itertools.count)

    def add(self, key: _K) -> None:
        """*key* is to be looked at; one that waits after a failure goes on waiting."""
        if key in self._working:
            self._dirty.add(key)
        elif key not in self._failures or key not in self._due:
            self._make_ready(key)

    def wake(self, key: _K) -> None:
        """*key* is to be looked at now: something that it may have waited for has changed."""
        if key in self._working:
            self._dirty.add(key)
            self._woken.add(key)
        else:
            self._make_ready(key)

    def take(self, now: float) -> _K | None:
        """The key to work on next; None when there is none at this time."""
        self._expire(now)
        for waiting in (self._first, self._ready):
            for key in waiting:
                del waiting[key]
                self._working.add(key)
                return key
        return None

    def done(self, key: _K, *, again_at: float | None = None) -> None:
        """*key* was worked on without a failure; *again_at* is when to look at it anyway."""
        self._failures.pop(key, None)
        if self._finish(key):
            self._make_ready(key)
        elif again_at is not None:
            self._schedule(key, again_at)

    def failed(self, key: _K, now: float) -> float:
        """*key* could not be worked on; returns the seconds it waits, unless it is woken."""
        count = self._failures.get(key, 0)
        self._failures[key] = count + 1
        delay = min(FIRST_DELAY * 2.0 ** min(count, 30), LONGEST_DELAY)
        woken = key in self._woken
        self._finish(key)
        if woken:
            self._make_ready(key)
        else:
            self._schedule(key, now + delay)
        return delay

    def next_wake(self) -> float | None:
        """When ``take`` will have something by itself: the earliest time; None for never."""
        if self._first or self._ready:
            return float("-inf")
        while self._timers and not self._is_current(self._timers[0]):
            heapq.heappop(self._timers)
        return self._timers[0][0] if self._timers else None

    def __len__(self) -> int:
        """Keys that could be taken at once or are in work."""
        return len(self._first) + len(self._ready) + len(self._working)

    def _make_ready(self, key: _K) -> None:
        self._due.pop(key, None)
        (self._first if self.is_first(key) else self._ready).setdefault(key)

    def _finish(self, key: _K) -> bool:
        self._working.discard(key)
        self._woken.discard(key)
        dirty = key in self._dirty
        self._dirty.discard(key)
        return dirty

    def _schedule(self, key: _K, when: float) -> None:
        self._due[key] = when
        heapq.heappush(self._timers, (when, next(self._order), key))

    def _is_current(self, timer: tuple[float, int, _K]) -> bool:
        return self._due.get(timer[2]) == timer[0]

    def _expire(self, now: float) -> None:
        while self._timers and self._timers[0][0] <= now:
            timer = heapq.heappop(self._timers)
            if self._is_current(timer):
                self._make_ready(timer[2])
