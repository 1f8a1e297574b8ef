"""A stream that sends without being asked waits, if somebody else is at work; no other one does."""

from __future__ import annotations

import pytest
from treadle_peer.chaincode.session import TxKey
from treadle_peer.chaincode.turns import RECENTLY, SHARE, SLACK, Turn, Turns

KEY = TxKey("channel", "tx")


@pytest.fixture
def turns() -> Turns:
    return Turns()


class Clock:
    """Serves messages of one stream on a clock of its own, beside another chaincode or alone."""

    def __init__(self, turns: Turns, *, other: bool = True) -> None:
        self.now, self.waited, self.worked = 100.0, 0.0, 0.0
        self.turn = Turn(turns)
        self._turns, self._other = turns, other

    def serve(self, cost: float, *, ccid: str = "busy:1") -> None:
        """The next message came; it takes *cost* seconds."""
        if self._other:
            self._turns.worked("other:1", self.now)
        asked = self.turn.takes(KEY)
        waits = 0.0 if asked else self.turn.waits(ccid, self.now)
        begun = self.now + waits
        self.now = begun + cost
        self.turn.spent(ccid, asked=asked, begun=begun, ended=self.now)
        self.waited += waits
        self.worked += cost


@pytest.mark.parametrize("cost", [0.00002, 0.0015, 0.08])
def test_beside_another_a_flooder_gets_its_share_of_the_time(turns: Turns, cost: float) -> None:
    clock = Clock(turns)
    for _ in range(2000):
        clock.serve(cost)
    assert clock.worked / (clock.worked + clock.waited) == pytest.approx(SHARE, rel=0.05)


@pytest.mark.parametrize("cost", [0.00002, 0.0015, 0.08])
def test_a_flooder_whose_replies_leave_between_its_messages_waits_too(
    turns: Turns, cost: float
) -> None:
    clock = Clock(turns)
    for number in range(2000):
        clock.serve(cost)
        if number % 2:
            clock.turn.asked(KEY)
    assert clock.worked / 2 / (clock.worked / 2 + clock.waited) < 2 * SHARE


def test_a_flooder_alone_never_waits(turns: Turns) -> None:
    clock = Clock(turns, other=False)
    for _ in range(2000):
        clock.serve(0.0015)
    assert clock.waited == 0


def test_a_few_messages_that_nobody_asked_for_cost_nothing(turns: Turns) -> None:
    clock = Clock(turns)
    for _ in range(1000):
        clock.serve(SLACK / 3)
        clock.now += SLACK / 3 / SHARE
    assert clock.waited == 0


@pytest.mark.parametrize(("cost", "thinks"), [(0.0003, 0.0003), (0.005, 0.002), (0.1, 0.0)])
def test_who_waits_for_replies_is_never_slowed(turns: Turns, cost: float, thinks: float) -> None:
    clock = Clock(turns)
    for _ in range(2000):
        clock.turn.asked(KEY)
        clock.now += thinks
        clock.serve(cost)
    assert clock.waited == 0


def test_nor_is_its_reply_in_time_when_another_transaction_of_its_stream_floods(
    turns: Turns,
) -> None:
    turn = Turn(turns)
    turns.worked("other:1", 100.0)
    turn.spent("busy:1", asked=False, begun=100.0, ended=100.05)
    assert turn.waits("busy:1", 100.05) > 0
    turn.asked(KEY)
    assert not turn.takes(TxKey("channel", "another"))
    assert turn.takes(KEY)
    assert not turn.takes(KEY)


def test_a_transaction_that_is_over_is_not_asked(turns: Turns) -> None:
    turn = Turn(turns)
    turn.asked(KEY)
    turn.forget(KEY)
    assert not turn.takes(KEY)


def test_another_that_was_silent_for_a_while_does_not_count(turns: Turns) -> None:
    turns.worked("other:1", 100.0)
    turns.worked("busy:1", 100.01)
    assert turns.contended("busy:1", 100.0 + RECENTLY / 2)
    assert not turns.contended("busy:1", 100.0 + 1.1 * RECENTLY)


def test_another_stream_of_the_same_chaincode_does_not_count(turns: Turns) -> None:
    turns.worked("busy:1", 100.0)
    assert not turns.contended("busy:1", 100.0)
    assert turns.contended("other:1", 100.0)
