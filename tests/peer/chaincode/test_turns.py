"""A stream that uses more than its share waits, if somebody else is at work."""

from __future__ import annotations

import pytest
from treadle_peer.chaincode.turns import RECENTLY, SHARE, Turn, Turns


@pytest.fixture
def turns() -> Turns:
    return Turns()


def busy(turn: Turn, *, cost: float, count: int, turns: Turns, other: bool) -> tuple[float, float]:
    """Serve *count* messages back to back; seconds of work, and of waiting between them."""
    now, waited = 100.0, 0.0
    for _ in range(count):
        if other:
            turns.worked("other:1", now)
        waits = turn.spent("busy:1", begun=now, ended=now + cost)
        now += cost + waits
        waited += waits
    return cost * count, waited


@pytest.mark.parametrize("cost", [0.00002, 0.0015, 0.08])
def test_beside_another_it_gets_its_share_of_the_time(turns: Turns, cost: float) -> None:
    worked, waited = busy(Turn(turns), cost=cost, count=2000, turns=turns, other=True)
    assert worked / (worked + waited) == pytest.approx(SHARE, rel=0.05)


def test_alone_it_never_waits(turns: Turns) -> None:
    assert busy(Turn(turns), cost=0.0015, count=2000, turns=turns, other=False)[1] == 0


def test_who_asks_little_never_waits_beside_others(turns: Turns) -> None:
    turn, now = Turn(turns), 100.0
    for _ in range(1000):
        turns.worked("other:1", now)
        assert turn.spent("modest:1", begun=now, ended=now + 0.001) == 0
        now += 0.001 / SHARE


def test_another_that_was_silent_for_a_while_does_not_count(turns: Turns) -> None:
    turns.worked("other:1", 100.0)
    turns.worked("busy:1", 100.01)
    assert turns.contended("busy:1", 100.0 + RECENTLY / 2)
    assert not turns.contended("busy:1", 100.0 + 1.1 * RECENTLY)


def test_another_stream_of_the_same_chaincode_does_not_count(turns: Turns) -> None:
    turns.worked("busy:1", 100.0)
    assert not turns.contended("busy:1", 100.0)
    assert turns.contended("other:1", 100.0)
