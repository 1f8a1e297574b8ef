"""Refused registrations, counted for the operator: few rows, told seldom, whatever knocks.

A row is one chaincode and one reason. Strangers choose the names, so there are ``MOST`` rows;
what comes after them shares one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

MOST: Final = 64
INTERVAL: Final = 10.0
"""Seconds between two tellings."""


@dataclass(frozen=True, slots=True)
class RefusalKey:
    """What is counted together; both are empty for what found no row of its own."""

    ccid: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """One row. *count* goes on from *since*, which no other row has, until the peer ends; *reason*
    and *remote* are the last one's.
    """

    ccid: str
    count: int
    reason: str
    remote: str
    since: datetime


class Refusals:
    """All rows. *changed* is called with the keys whose rows are to be told, at once for the first
    refusal and then not more often than every ``INTERVAL`` seconds.
    """

    def __init__(
        self,
        changed: Callable[[list[RefusalKey]], None],
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._changed = changed
        self._now = now
        self._rows: dict[RefusalKey, Refused] = {}
        self._fresh: dict[RefusalKey, None] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._told_at = float("-inf")
        self._latest = datetime.fromtimestamp(0, UTC)

    def count(self, ccid: str, sentence: str, remote: str) -> None:
        """A registration as *ccid* from *remote* was refused with *sentence*; needs the loop."""
        # The port of the caller differs from try to try; it is no other reason.
        key = RefusalKey(ccid, sentence.replace(remote, ""))
        if key not in self._rows and len(self._rows) >= MOST:
            key = RefusalKey("", "")
        before = self._rows.get(key)
        if before is None:
            self._latest = max(self._now(), self._latest + timedelta(microseconds=1))
        self._rows[key] = Refused(
            ccid=ccid,
            count=1 + (before.count if before else 0),
            reason=sentence,
            remote=remote,
            since=before.since if before else self._latest,
        )
        self._fresh[key] = None
        if self._timer is None:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_at(max(loop.time(), self._told_at + INTERVAL), self._tell)

    def get(self, key: RefusalKey) -> Refused:
        """The row as it is now."""
        return self._rows[key]

    def keys(self) -> list[RefusalKey]:
        """All rows, the oldest first."""
        return list(self._rows)

    def _tell(self) -> None:
        self._timer = None
        self._told_at = asyncio.get_running_loop().time()
        keys, self._fresh = list(self._fresh), {}
        self._changed(keys)
