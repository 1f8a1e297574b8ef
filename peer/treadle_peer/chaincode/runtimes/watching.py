"""Telling watchers what is required: a list, SYNCED, then changes; pure and without loss.

A watch remembers which runtimes it still has to tell, not what they were: each is told as it is
when the watcher reads. So a slow watcher costs one entry per runtime, and the latest state of each
always arrives.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from treadle_peer.chaincode.runtimes.developments import Development, Developments
from treadle_peer.chaincode.runtimes.model import Runtime
from treadle_peer.chaincode.runtimes.refusals import RefusalKey, Refusals, Refused


@dataclass(frozen=True, slots=True)
class Removed:
    """A runtime that is not required any more."""

    ccid: str


@dataclass(frozen=True, slots=True)
class Synced:
    """Everything that was required when the watch began has been told."""


@dataclass(frozen=True, slots=True)
class DevelopmentKey:
    """What is told of a chaincode that is, or was, open for development."""

    ccid: str


Event = Runtime | Removed | Synced | Refused | Development
Key = str | RefusalKey | DevelopmentKey


class WatchEnded(Exception):
    """The watch may not go on; the sentence says why."""


class Watch:
    """One watcher's view. *current* tells a runtime as it is now, None when it is not required;
    *development* a chaincode of which it is known that it is or was open.

    Refused registrations are told after everything that is required.
    """

    def __init__(
        self,
        current: Callable[[str], Runtime | None],
        begin: Iterable[str | DevelopmentKey],
        refusals: Refusals | None = None,
        development: Callable[[str], Development | None] = lambda ccid: None,
    ) -> None:
        self._current = current
        self._development = development
        self._refusals = refusals
        self._ended: str | None = None
        # In the order of their first change; None stands for SYNCED.
        self._pending: dict[Key | None, None] = {**dict.fromkeys(begin), None: None}
        self._pending |= dict.fromkeys(refusals.keys() if refusals else ())
        self._told: set[str | DevelopmentKey] = set()
        self._news = asyncio.Event()

    def changed(self, key: Key) -> None:
        """A runtime, a development, or what is counted about refusals, is not as it was."""
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
        key = next(iter(self._pending))
        del self._pending[key]
        if key is None:
            return Synced()
        if isinstance(key, RefusalKey):
            return self._refusals.get(key) if self._refusals else None
        if isinstance(key, DevelopmentKey):
            return self._take_development(key)
        return self._take_runtime(key)

    def _take_runtime(self, ccid: str) -> Event | None:
        runtime = self._current(ccid)
        if runtime is not None:
            self._told.add(ccid)
            return runtime
        if ccid not in self._told:
            return None
        self._told.remove(ccid)
        return Removed(ccid)

    def _take_development(self, key: DevelopmentKey) -> Event | None:
        row = self._development(key.ccid)
        if row is None or (not row.open and key not in self._told):
            return None
        if row.open:
            self._told.add(key)
        else:
            self._told.remove(key)
        return row


class Watchers:
    """All watches of a peer, and the refusals that they tell."""

    def __init__(self) -> None:
        self._watches: set[Watch] = set()
        self.refusals = Refusals(self._refused)
        self._developments: Developments | None = None

    def __len__(self) -> int:
        return len(self._watches)

    def open(
        self,
        current: Callable[[str], Runtime | None],
        begin: Iterable[str],
    ) -> Watch:
        """A watch that is told of changes from now on.

        While developers run a chaincode, the runtime of that name is not required, once its
        processes are gone.
        """
        known = self._developments
        if known is None:
            watch = Watch(current, begin, self.refusals)
        else:
            keys: list[str | DevelopmentKey] = [
                *begin,
                *(DevelopmentKey(row.ccid) for row in known.rows()),
            ]
            watch = Watch(_unless_open(known, current), keys, self.refusals, known.get)
        self._watches.add(watch)
        return watch

    def follow(self, developments: Developments) -> None:
        """Tell of these, too, from the next watch on; before any is open."""
        self._developments = developments

    def development_changed(self, ccid: str) -> None:
        """A developer has come or gone, or *ccid* was opened or closed."""
        self.changed(DevelopmentKey(ccid))
        self.changed(ccid)

    def remove(self, watch: Watch) -> None:
        """Tell it nothing more."""
        self._watches.discard(watch)

    def changed(self, key: str | DevelopmentKey) -> None:
        """Every watcher is to be told about it."""
        for watch in self._watches:
            watch.changed(key)

    def _refused(self, keys: list[RefusalKey]) -> None:
        for watch in self._watches:
            for key in keys:
                watch.changed(key)


def _unless_open(
    developments: Developments, current: Callable[[str], Runtime | None]
) -> Callable[[str], Runtime | None]:
    def shown(ccid: str) -> Runtime | None:
        runtime = current(ccid)
        # What its processes work on they may finish.
        at_work = runtime is not None and runtime.instances > 0
        return None if developments.is_open(ccid) and not at_work else runtime

    return shown
