"""Telling watchers what is required: a list, SYNCED, then changes; pure and without loss.

A watch remembers which runtimes it still has to tell, not what they were: each is told as it is
when the watcher reads. So a slow watcher costs one entry per runtime, and the latest state of each
always arrives.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from treadle_peer.chaincode.runtimes.model import Runtime
from treadle_peer.chaincode.runtimes.refusals import RefusalKey, Refusals, Refused


@dataclass(frozen=True, slots=True)
class Removed:
    """A runtime that is not required any more."""

    ccid: str


@dataclass(frozen=True, slots=True)
class Synced:
    """Everything that was required when the watch began has been told."""


Event = Runtime | Removed | Synced | Refused


class WatchEnded(Exception):
    """The watch may not go on; the sentence says why."""


class Watch:
    """One watcher's view. *current* tells a runtime as it is now, None when it is not required.

    Refused registrations are told after everything that is required.
    """

    def __init__(
        self,
        current: Callable[[str], Runtime | None],
        begin: Iterable[str],
        refusals: Refusals | None = None,
    ) -> None:
        self._current = current
        self._refusals = refusals
        self._ended: str | None = None
        # In the order of their first change; None stands for SYNCED.
        self._pending: dict[str | RefusalKey | None, None] = {**dict.fromkeys(begin), None: None}
        self._pending |= dict.fromkeys(refusals.keys() if refusals else ())
        self._told: set[str] = set()
        self._news = asyncio.Event()

    def changed(self, key: str | RefusalKey) -> None:
        """A runtime, or what is counted about refusals, is not as it was."""
        self._pending[key] = None
        self._news.set()

    def end(self, sentence: str) -> None:
        """Nothing more is told: ``next`` raises WatchEnded."""
        self._ended = sentence
        self._news.set()

    async def next(self) -> Event:
        """The next event, as soon as there is one. Raises WatchEnded."""
        while self._ended is None:
            event = self.poll()
            if event is not None:
                return event
            self._news.clear()
            await self._news.wait()
        raise WatchEnded(self._ended)

    def poll(self) -> Event | None:
        """The next event if there is one now."""
        while self._pending:
            event = self._take()
            if event is not None:
                return event
        return None

    def _take(self) -> Event | None:
        ccid = next(iter(self._pending))
        del self._pending[ccid]
        if ccid is None:
            return Synced()
        if isinstance(ccid, RefusalKey):
            return self._refusals.get(ccid) if self._refusals else None
        runtime = self._current(ccid)
        if runtime is not None:
            self._told.add(ccid)
            return runtime
        if ccid not in self._told:
            return None
        self._told.remove(ccid)
        return Removed(ccid)


class Watchers:
    """All watches of a peer, and the refusals that they tell."""

    def __init__(self) -> None:
        self._watches: set[Watch] = set()
        self.refusals = Refusals(self._refused)

    def __len__(self) -> int:
        return len(self._watches)

    def open(self, current: Callable[[str], Runtime | None], begin: Iterable[str]) -> Watch:
        """A watch that is told of changes from now on."""
        watch = Watch(current, begin, self.refusals)
        self._watches.add(watch)
        return watch

    def remove(self, watch: Watch) -> None:
        """Tell it nothing more."""
        self._watches.discard(watch)

    def changed(self, ccid: str) -> None:
        """Every watcher is to be told about *ccid*."""
        for watch in self._watches:
            watch.changed(ccid)

    def _refused(self, keys: list[RefusalKey]) -> None:
        for watch in self._watches:
            for key in keys:
                watch.changed(key)
