"""Who does not wait for replies waits between requests, while others want to be served, too.

All streams are served by one event loop, in the order in which their messages come. A chaincode
that sends without waiting for replies would have it nearly to itself: each message of another one
then waits behind one of its own, and a range query takes as long as fifty reads. So a stream is
charged for what it was not asked for: messages that were there before the last reply to their
transaction had left, and very large ones, each of which keeps the loop for long. When those use
more than its share, the next such one has to wait, nothing is read from the stream meanwhile, and
in the end it is the sender who has to wait. A chaincode that asks and waits for the reply, as every
official shim does within a transaction, is not slowed down, however much it asks; nor is one that
is alone.
"""

from __future__ import annotations

from typing import Final

from treadle_peer.chaincode.session import TxKey

SHARE: Final = 0.15
"""Of the loop's time, for what one stream was not asked for, while another is at work."""
SLACK: Final = 0.0015
"""Seconds above its share that a stream may use at once; timers are no finer."""
FREE_BYTES: Final = 1 << 20
"""A larger message is charged even when it was asked for."""
SECONDS_PER_BYTE: Final = 4e-9
"""What it takes to receive and parse a message, which nobody sees."""
RECENTLY: Final = 0.1
"""Seconds after its last message during which a chaincode counts as being at work.

What follows its message uses the same loop: the answer to the client, the order, the commit.
"""


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
    """The account of one stream, and which of its transactions are asked to speak."""

    def __init__(self, turns: Turns) -> None:
        self._turns = turns
        self._asked: dict[TxKey, int] = {}
        self._owed = 0.0
        self._last = float("-inf")
        self._due = float("-inf")

    def asked(self, key: TxKey) -> None:
        """A message about this running transaction has left: one may come back."""
        self._asked[key] = self._asked.get(key, 0) + 1

    def forget(self, key: TxKey) -> None:
        """This transaction is over."""
        self._asked.pop(key, None)

    def takes(self, key: TxKey) -> bool:
        """A message about this running transaction came; whether all before it were answered."""
        left = self._asked.get(key, 0) - 1
        self._asked[key] = left
        return left >= 0

    def waits(self, ccid: str, now: float) -> float:
        """How many seconds a message that nobody asked for must wait, often none."""
        if self._due <= now:
            return 0.0
        return self._due - now if self._turns.contended(ccid, now) else 0.0

    def spent(self, ccid: str, *, asked: bool, begun: float, ended: float) -> None:
        """A message was served from *begun* to *ended*."""
        self._turns.worked(ccid, ended)
        idle, self._last = max(0.0, begun - self._last), ended
        self._owed = max(0.0, self._owed - idle)
        if asked:
            return
        self._owed += (ended - begun) * (1 / SHARE - 1)
        if self._owed <= SLACK * (1 / SHARE - 1):
            return
        self._due, self._owed = ended + self._owed, 0.0
        self._last = self._due
