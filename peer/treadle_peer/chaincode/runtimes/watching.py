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


@dataclass(frozen=True, slots=True)
class Removed:
    """A runtime that is not required any more."""

    ccid: str


@dataclass(frozen=True, slots=True)
class Synced:
    """Everything that was required when the watch began has been told."""


Event = Runtime | Removed | Synced


class Watch:
    """One watcher's view. *current* tells a runtime as it is now, None when it is not required."""

    def __init__(self, current: Callable[[str], Runtime | None], begin: Iterable[str]) -> None:
        self._current = current
        # In the order of their first change; None stands for SYNCED.
        self._pending: dict[str | None, None] = {**dict.fromkeys(begin), None: None}
        self._told: set[str] = set()
        self._news = asyncio.Event()

    def changed(self, ccid: str) -> None:
        """*ccid* is not as it was."""
        self._pending[ccid] = None
        self._news.set()

    async def next(self) -> Event:
        """The next event, as soon as there is one."""
        while (event := self.poll()) is None:
            self._news.clear()
            await self._news.wait()
        return event

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
        runtime = self._current(ccid)
        if runtime is not None:
            self._told.add(ccid)
            return runtime
        if ccid not in self._told:
            return None
        self._told.remove(ccid)
        return Removed(ccid)


class Watchers:
    """All watches of a peer."""

    def __init__(self) -> None:
        self._watches: set[Watch] = set()

    def __len__(self) -> int:
        return len(self._watches)

    def add(self, watch: Watch) -> None:
        """Tell *watch* of changes from now on."""
        self._watches.add(watch)

    def remove(self, watch: Watch) -> None:
        """Tell it nothing more."""
        self._watches.discard(watch)

    def changed(self, ccid: str) -> None:
        """Every watcher is to be told about *ccid*."""
        for watch in self._watches:
            watch.changed(ccid)
