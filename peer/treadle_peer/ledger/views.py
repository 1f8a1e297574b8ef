"""Consistent views of the state, one per committed height, shared by all who read at it.

A view answers point reads from a RocksDB snapshot and ordered reads from a cursor on the live
state, corrected by what has changed since the view's height: committing records the keys of a
block here *before* it writes them, so nobody can meet a change that is not yet recorded.

A view that was superseded more than ``max_age`` seconds ago gives its snapshot back (an idle
chaincode in a debugger must not pin old data for hours). Its reads then go to the live state, as
long as what they touch is unchanged; else they fail with ``ViewExpired`` (design §5).
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from weakref import WeakSet, ref

from treadle_peer.ledger.errors import LedgerError
from treadle_peer.ledger.families import STATE
from treadle_peer.storage import Cursor, Database, Snapshot

SNAPSHOT_MAX_AGE = 30.0
# Keys remembered for the sake of old views; views that need more are given up.
MAX_CHANGES = 1_000_000
# Cursors of a view that are open at the database, 80 KiB each; others are opened again when read.
MAX_READING = 128


class ViewExpired(LedgerError):
    """An old view was asked for something that has changed since."""


class StateViews:
    """All views of one ledger: the current one and those still in use."""

    def __init__(
        self,
        database: Database,
        *,
        height: int,
        max_age: float = SNAPSHOT_MAX_AGE,
        max_changes: int = MAX_CHANGES,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.database = database
        self.max_age = max_age
        self.recorded = height
        self.changes: dict[int, Sequence[bytes]] = {}
        self._max_changes = max_changes
        self._clock = clock
        self._mutex = threading.Lock()
        self._older: list[StateView] = []
        self._closed = False
        self._current = self._make(height)

    def acquire(self) -> StateView:
        """The view of the newest committed height; raises LedgerError when closed."""
        with self._mutex:
            if self._closed:
                raise LedgerError("the ledger is closed")
            self._current.users += 1
            return self._current

    def release(self, view: StateView) -> None:
        """A user of *view* is done."""
        with self._mutex:
            view.users -= 1
            if view.users == 0 and view is not self._current:
                self._older.remove(view)
                view.expire()
                self._forget_changes()

    def record(self, block: int, keys: Sequence[bytes]) -> None:
        """Block number *block* is about to write the state *keys*."""
        self.changes[block] = keys
        self.recorded = block + 1

    def publish(self) -> None:
        """What was recorded is durable: from now on it is the current view."""
        view = self._make(self.recorded)
        now = self._clock()
        with self._mutex:
            former, self._current = self._current, view
            if former.users:
                former.superseded_at = now
                self._older.append(former)
            else:
                former.expire()
            for old in self._older:
                if now - old.superseded_at > self.max_age:
                    old.expire()
            self._forget_changes()

    def close(self) -> None:
        """End all views; their users get LedgerError from now on."""
        with self._mutex:
            self._closed = True
            for view in (*self._older, self._current):
                view.expire(LedgerError("the ledger is closed"))

    def _make(self, height: int) -> StateView:
        return StateView(self, height=height, snapshot=self.database.snapshot(STATE))

    def _forget_changes(self) -> None:
        if sum(map(len, self.changes.values())) > self._max_changes:
            for view in self._older:
                view.expire(ViewExpired("too much has changed since the simulation began"))
        needed = min((v.height for v in self._older if v.usable), default=self._current.height)
        for block in [number for number in self.changes if number < needed]:
            del self.changes[block]


class StateView:
    """The state after block ``height - 1``. Release it once for every acquire."""

    def __init__(self, views: StateViews, *, height: int, snapshot: Snapshot) -> None:
        self.height = height
        self.users = 0
        self.superseded_at = 0.0
        self._views = views
        self._snapshot: Snapshot | None = snapshot
        self._changed: frozenset[bytes] = frozenset()
        self._seen = height
        self._cursors: WeakSet[ViewCursor] = WeakSet()
        self._reading: deque[ref[ViewCursor]] = deque()
        self._refusal: LedgerError | None = None

    @property
    def usable(self) -> bool:
        """Whether reads can still succeed."""
        return self._refusal is None

    def get(self, key: bytes) -> bytes | None:
        """The stored value of a state key; raises ViewExpired."""
        snapshot = self._snapshot
        if snapshot is not None:
            return snapshot.get(key)
        self._check_usable()
        # The order matters: a change is recorded before it can be read.
        stored = self._views.database.get(STATE, key)
        if key in self.changed():
            raise ViewExpired(
                f"the simulation is older than {self._views.max_age:g} s and what it reads "
                "has changed since; try again"
            )
        return stored

    def scan(self, start: bytes, end: bytes) -> ViewCursor:
        """Stored values with ``start <= key < end`` in key order; pulling raises ViewExpired."""
        self._check_usable()
        cursor = ViewCursor(self, start, end)
        self._cursors.add(cursor)
        return cursor

    def release(self) -> None:
        """One user less."""
        self._views.release(self)

    def changed(self) -> frozenset[bytes]:
        """Keys written since this height, perhaps not visible yet."""
        recorded = self._views.recorded
        if self._seen < recorded:
            news = [self._views.changes[number] for number in range(self._seen, recorded)]
            self._changed = self._changed.union(*news)
            self._seen = recorded
        return self._changed

    def newest(self, start: bytes, end: bytes) -> tuple[Cursor, list[bytes]]:
        """A cursor on the newest state, and the keys in range that ``get`` must answer instead.

        The keys come in descending order.
        """
        self._check_usable()
        cursor = self._views.database.scan(STATE, start=start, end=end)
        changed = [key for key in self.changed() if start <= key < end]
        return cursor, sorted(changed, reverse=True)

    def reads(self, cursor: ViewCursor) -> None:
        """*cursor* holds files and buffers from now on; the one that has for longest lets go."""
        self._reading.append(ref(cursor))
        if len(self._reading) > MAX_READING:
            longest = self._reading.popleft()()
            if longest is not None and longest is not cursor:
                longest.detach()

    def expire(self, refusal: LedgerError | None = None) -> None:
        """Give back everything that pins old data; with *refusal*, fail every later read."""
        if refusal is not None:
            self._refusal = refusal
        self._snapshot = None
        for cursor in list(self._cursors):
            cursor.detach()

    def _check_usable(self) -> None:
        if self._refusal is not None:
            raise self._refusal


class ViewCursor:
    """Stored values of one view in key order; for one thread at a time."""

    def __init__(self, view: StateView, start: bytes, end: bytes) -> None:
        self._view = view
        self._next = start
        self._end = end
        self._cursor: Cursor | None = None
        self._ahead: tuple[bytes, bytes] | None = None
        self._changed: list[bytes] = []
        self._skipped: frozenset[bytes] = frozenset()
        self._done = False

    def __iter__(self) -> ViewCursor:
        return self

    def __next__(self) -> tuple[bytes, bytes]:
        if self._done:
            raise StopIteration
        cursor = self._cursor
        if cursor is None:
            cursor = self._open()
        merging = self._changed or self._ahead
        item = self._merged(cursor) if merging else next(cursor, None)
        if item is None:
            self.close()
            raise StopIteration
        self._next = item[0] + b"\x00"
        return item

    @property
    def reading(self) -> bool:
        """Whether it holds files and buffers."""
        return self._cursor is not None

    def close(self) -> None:
        """No more results; harmless when done already."""
        self._done = True
        self._cursor = None

    def detach(self) -> None:
        """Let go of the files; the next pull opens the live state at the place reached."""
        self._cursor = None

    def _open(self) -> Cursor:
        cursor, self._changed = self._view.newest(self._next, self._end)
        # What changes from here on, this cursor does not see: the set must not grow.
        self._skipped = frozenset(self._changed)
        self._ahead = None
        self._cursor = cursor
        self._view.reads(self)
        return cursor

    def _merged(self, cursor: Cursor) -> tuple[bytes, bytes] | None:
        """The smaller of the next unchanged live item and the next changed key as it was."""
        while True:
            if self._ahead is None:
                self._ahead = self._next_unchanged(cursor)
            ahead = self._ahead
            if not self._changed or (ahead is not None and ahead[0] < self._changed[-1]):
                self._ahead = None
                return ahead
            key = self._changed.pop()
            stored = self._view.get(key)
            if stored is not None:
                return key, stored

    def _next_unchanged(self, cursor: Cursor) -> tuple[bytes, bytes] | None:
        return next((item for item in cursor if item[0] not in self._skipped), None)
