"""Who asks much waits between requests, while others want to be served, too.

All streams are served by one event loop, in the order in which their messages come. A chaincode
that sends without waiting for replies would have it nearly to itself: each message of another one
then waits behind one of its own, and a range query takes as long as fifty reads. So a stream that
has used more than its share gives the loop away; nothing is read from it meanwhile, and it is the
sender who has to wait. Alone, a chaincode is never slowed down.
"""

from __future__ import annotations

from typing import Final

SHARE: Final = 0.25
"""Of the loop's time, for one stream, while another chaincode is at work."""
SLACK: Final = 0.003
"""Seconds above its share that a stream may use at once; timers are no finer."""
SECONDS_PER_BYTE: Final = 1e-9
"""What it takes to receive and parse a message, which nobody sees."""
RECENTLY: Final = 0.1
"""Seconds after its last message during which a chaincode counts as being at work."""


class Turns:
    """Which chaincodes were at work lately. Times are seconds of one clock."""

    def __init__(self) -> None:
        self._latest = ("", float("-inf"))
        self._latest_other = ("", float("-inf"))

    def worked(self, ccid: str, now: float) -> None:
        """A message of *ccid* was served."""
        if ccid != self._latest[0]:
            self._latest_other = self._latest
        self._latest = (ccid, now)

    def contended(self, ccid: str, now: float) -> bool:
        """Whether another chaincode than *ccid* was at work lately."""
        other = self._latest if self._latest[0] != ccid else self._latest_other
        return now - other[1] < RECENTLY


class Turn:
    """The account of one stream."""

    def __init__(self, turns: Turns) -> None:
        self._turns = turns
        self._owed = 0.0
        self._last = float("-inf")

    def spent(self, ccid: str, *, begun: float, ended: float) -> float:
        """It was served from *begun* to *ended*; how many seconds it must wait now, often none."""
        self._turns.worked(ccid, ended)
        idle, self._last = begun - self._last, ended
        self._owed = max(0.0, self._owed - idle) + (ended - begun) * (1 / SHARE - 1)
        if self._owed <= SLACK * (1 / SHARE - 1):
            return 0.0
        waits, self._owed = self._owed, 0.0
        self._last = ended + waits
        return waits if self._turns.contended(ccid, ended) else 0.0
