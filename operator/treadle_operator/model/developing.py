"""Chaincodes that developers run: what a peer is told, and what it tells. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class DevelopmentPolicy:
    """One chaincode that a peer is to leave to developers.

    ``execute_timeout`` None: no bound. ``start_line`` is what a developer types. ``holders`` are
    the uids of those whose developers get certificates; those of all others end.
    """

    ccid: str
    execute_timeout: timedelta | None
    start_line: str
    holders: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Development:
    """One chaincode that a peer has left to developers, and who is connected since when.

    ``developer`` is what that person's tool says, empty when it says nothing. Certificates count
    for one ``opening`` only: the peer says another one when earlier certificates are dead.
    """

    ccid: str
    connected: bool
    developer: str
    remote: str
    since: datetime
    opening: str
    holders: frozenset[str]

    @property
    def who(self) -> str:
        """What to call the developer."""
        return self.developer or self.remote
