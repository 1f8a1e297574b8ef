"""An orderly stop is bounded as a whole, and none of its steps is left out."""

from __future__ import annotations

from treadle_peer.main.stopping import LEAST, Patience


class Clock:
    """Seconds, as the test has it."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_what_one_step_does_not_need_the_next_one_has() -> None:
    clock = Clock()
    patience = Patience(10.0, clock=clock)
    clock.now += 1000  # the peer served so long
    assert patience.left() == 10.0
    clock.now += 3
    assert patience.left() == 7.0
    clock.now += 6
    assert patience.left() == LEAST


def test_a_step_has_a_little_time_whatever_the_others_took_but_no_more_than_was_asked_for() -> None:
    clock = Clock()
    long, none = Patience(10.0, clock=clock), Patience(0.0, clock=clock)
    assert (long.left(), none.left()) == (10.0, 0.0)
    clock.now += 60
    assert (long.left(), none.left()) == (LEAST, 0.0)
