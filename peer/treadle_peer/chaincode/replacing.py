"""Two developers and one chaincode: the newer process replaces the older, and nobody fights.

A tool that lost its way to the peer comes back by itself. If another one has taken its place
meanwhile, it has not heard that; it is told when it comes, instead of taking the place back
behind the other's back. Who types a command, or says ``treadle-take: true``, takes it; shims of
Fabric say nothing and end when they are replaced, so they take it, too.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from treadle_peer.chaincode.errors import Ending, RegistrationRefused
from treadle_peer.chaincode.registry import Registration
from treadle_peer.chaincode.streams import StreamPeer

_MOST: Final = 64
"""Remembered losers of one chaincode; the names are what strangers say."""


class Replaced:
    """Who was replaced as which chaincode, and has not been back since."""

    def __init__(self) -> None:
        self._losers: dict[str, dict[str, None]] = {}

    def check(self, ccid: str, newcomer: StreamPeer, present: Iterable[Registration]) -> None:
        """Raise RegistrationRefused for a tool that comes back where another one is now."""
        if newcomer.takes is not False or newcomer.who not in self._losers.get(ccid, {}):
            return
        for one in present:
            if one.instance.caller.who != newcomer.who:
                raise replaced_by(one.instance.caller, one.since)

    def note(self, ccid: str, loser: StreamPeer, *, by: StreamPeer) -> None:
        """*loser* has to go, because *by* came."""
        losers = self._losers.setdefault(ccid, {})
        losers.pop(by.who, None)
        if loser.who and loser.who != by.who:
            losers[loser.who] = None
        while len(losers) > _MOST:
            del losers[next(iter(losers))]
        if not losers:
            del self._losers[ccid]

    def forget(self, ccid: str) -> None:
        """Whoever comes now comes anew."""
        self._losers.pop(ccid, None)


def replaced_by(winner: StreamPeer, at: datetime) -> RegistrationRefused:
    """What the one that has to go is told."""
    text = f"replaced by {winner.name} at {at.isoformat(timespec='seconds')}"
    return RegistrationRefused(text, Ending.ABORTED)


def holder_of(caller: StreamPeer) -> tuple[str, str] | None:
    """Whose stream it is: certificate and address; None without a certificate."""
    if caller.fingerprint is None:
        return None
    return caller.fingerprint, caller.remote.rpartition(":")[0]
