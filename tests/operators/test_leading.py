"""Who may work: decisions about one Lease, with a clock that the test holds."""

from __future__ import annotations

import pytest
from treadle_operator.leading import DEADLINE, DURATION, Election, Record

FRESH = 59_000_000


def lease(holder: str, epoch: int, version: int = 1, seconds: int = DURATION) -> Record:
    return Record(holder=holder, epoch=epoch, seconds=seconds, acquired="t", version=str(version))


def leader(at: float = 0.0) -> Election:
    """An election that *a* won at a time."""
    election = Election("a")
    election.saw(None, at)
    epoch = election.bid(at, fresh=FRESH)
    assert epoch is not None
    election.granted(lease("a", epoch), asked=at)
    return election


def test_the_first_operator_makes_the_lease_and_leads() -> None:
    election = leader()
    assert election.epoch == FRESH
    assert election.left(0.0) == DEADLINE


def test_a_lease_that_nobody_has_held_begins_like_one_made_anew() -> None:
    election = Election("a")
    election.saw(lease("", 0, seconds=0), 0.0)
    assert election.bid(0.0, fresh=FRESH) == FRESH
    election.granted(lease("a", FRESH, 2), asked=0.0)
    assert election.left(0.0) == DEADLINE
    assert election.bid(4.0, fresh=FRESH + 4) == FRESH


def test_nobody_leads_before_its_bid_is_stored() -> None:
    election = Election("a")
    election.saw(None, 0.0)
    assert election.bid(0.0, fresh=FRESH) == FRESH
    assert election.left(0.0) == 0


def test_a_leader_stops_before_another_may_begin() -> None:
    first, second = leader(at=100.0), Election("b")
    second.saw(lease("a", FRESH), 100.0)
    moments = [100 + tenth / 10 for tenth in range(300)]
    stops = min(now for now in moments if first.left(now) == 0)
    takes = min(now for now in moments if second.bid(now, fresh=1) is not None)
    assert stops == 100 + DEADLINE
    assert takes == 100 + DURATION
    assert takes - stops >= 5, "what is on its way has time to end"


def test_time_counts_from_the_question_not_from_the_answer() -> None:
    election = leader()
    # The process was stopped between sending and reading.
    election.granted(lease("a", FRESH, 2), asked=1.0)
    assert election.left(61.0) == 0


def test_each_renewal_lets_it_go_on_in_the_same_term() -> None:
    election = leader()
    for renewal in range(1, 20):
        now = renewal * 4.0
        assert election.left(now) > 0
        assert election.bid(now, fresh=1) == FRESH
        election.granted(lease("a", FRESH, renewal), asked=now)
    assert election.epoch == FRESH


def test_one_that_waits_counts_from_the_last_change_that_it_saw() -> None:
    waiting = Election("b")
    for second in range(60):  # renewed every four seconds
        waiting.saw(lease("a", FRESH, second // 4), float(second))
        assert waiting.bid(float(second), fresh=1) is None
    last = 56.0  # then never again
    waiting.saw(lease("a", FRESH, 14), last + DURATION - 0.1)
    assert waiting.bid(last + DURATION - 0.1, fresh=1) is None
    assert waiting.bid(last + DURATION, fresh=1) == FRESH + 1


def test_a_lease_given_back_is_taken_at_once() -> None:
    waiting = Election("b")
    waiting.saw(lease("a", 7), 0.0)
    assert waiting.bid(0.0, fresh=1) is None
    waiting.saw(lease("", 7, 2), 1.0)
    assert waiting.bid(1.0, fresh=1) == 8


def test_losing_the_lease_ends_the_term_at_once() -> None:
    election = leader()
    election.saw(lease("b", FRESH + 1, 2), 2.0)
    assert election.left(2.0) == 0
    assert election.bid(2.0, fresh=1) is None


def test_a_lease_that_is_gone_ends_the_term_at_once() -> None:
    election = leader()
    election.saw(None, 2.0)
    assert election.left(2.0) == 0
    assert election.bid(2.0, fresh=FRESH + 2) == FRESH + 2


def test_one_that_was_cut_off_goes_on_in_its_term_when_nobody_came() -> None:
    election = leader()
    assert election.left(30.0) == 0
    election.saw(lease("a", FRESH, 2), 30.0)
    assert election.left(30.0) == 0, "only a renewal says that nobody came"
    assert election.bid(30.0, fresh=1) == FRESH


def test_a_process_in_the_place_of_another_need_not_wait_and_begins_a_new_term() -> None:
    again = Election("a")
    again.saw(lease("a", 7), 0.0)
    assert again.left(0.0) == 0
    assert again.bid(0.0, fresh=1) == 8


def test_its_twin_that_still_runs_loses_and_does_not_take_it_back() -> None:
    twin = leader()
    twin.saw(lease("a", FRESH + 1, 2), 3.0)
    assert twin.left(3.0) == 0
    assert twin.bid(3.0, fresh=1) is None


@pytest.mark.parametrize("seconds", [0, 1, 60])
def test_the_stored_duration_is_what_one_waits(seconds: int) -> None:
    waiting = Election("b")
    waiting.saw(lease("a", 7, seconds=seconds), 0.0)
    assert waiting.bid(seconds, fresh=1) == 8
    assert seconds == 0 or waiting.bid(seconds - 0.5, fresh=1) is None


def test_giving_up_ends_the_term_before_the_lease_is_given_back() -> None:
    election = leader()
    election.gave_up()
    assert election.left(0.0) == 0
