"""The work queue, by a clock that the tests move."""

from __future__ import annotations

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from treadle_operator.queue import WorkQueue


@pytest.fixture
def queue() -> WorkQueue[str]:
    return WorkQueue()


def test_a_key_that_is_added_twice_is_taken_once(queue: WorkQueue[str]) -> None:
    queue.add("a")
    queue.wake("a")
    queue.add("b")
    assert [queue.take(0), queue.take(0), queue.take(0)] == ["a", "b", None]


def test_what_others_wait_for_is_taken_before_them() -> None:
    queue = WorkQueue[str](is_first=str.isupper)
    for key in ("a", "B", "c", "D"):
        queue.add(key)
    assert len(queue) == 4
    assert [queue.take(0) for _ in range(4)] == ["B", "D", "a", "c"]
    for key in ("a", "B"):
        queue.failed(key, 0)
    queue.wake("c")
    queue.done("c")
    assert [queue.take(1) for _ in range(4)] == ["B", "c", "a", None]
    queue.wake("E")
    assert queue.next_wake() == float("-inf")


def test_a_key_in_work_is_not_given_to_a_second_worker(queue: WorkQueue[str]) -> None:
    queue.add("a")
    assert queue.take(0) == "a"
    queue.wake("a")
    assert queue.take(0) is None
    queue.done("a")
    assert queue.take(0) == "a"
    queue.done("a")
    assert queue.take(0) is None
    assert queue.next_wake() is None


def test_failures_wait_from_a_second_to_five_minutes(queue: WorkQueue[str]) -> None:
    queue.add("a")
    now, delays = 0.0, []
    for _ in range(11):
        assert queue.take(now) == "a"
        delays.append(queue.failed("a", now))
        assert queue.take(now + delays[-1] - 0.001) is None
        now += delays[-1]
        assert queue.next_wake() == now
    assert delays == [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]


def test_a_success_begins_the_delays_anew(queue: WorkQueue[str]) -> None:
    queue.add("a")
    for now in (0.0, 1.0):
        queue.take(now)
        queue.failed("a", now)
    assert queue.take(3.0) == "a"
    queue.done("a")
    queue.add("a")
    queue.take(3.0)
    assert queue.failed("a", 3.0) == 1.0


def test_a_wake_cuts_the_delay_short_and_an_add_does_not(queue: WorkQueue[str]) -> None:
    queue.add("a")
    queue.take(0)
    queue.failed("a", 0)
    queue.add("a")
    assert queue.take(0.5) is None
    queue.wake("a")
    assert queue.take(0.5) == "a"


def test_a_wake_during_a_failing_attempt_is_not_lost(queue: WorkQueue[str]) -> None:
    queue.add("a")
    queue.take(0)
    queue.wake("a")
    queue.failed("a", 0)
    assert queue.take(0) == "a"


def test_an_add_during_a_failing_attempt_waits_with_it(queue: WorkQueue[str]) -> None:
    queue.add("a")
    queue.take(0)
    queue.add("a")
    queue.failed("a", 0)
    assert queue.take(0) is None
    assert queue.take(1) == "a"


def test_a_key_comes_again_when_it_was_asked_to(queue: WorkQueue[str]) -> None:
    queue.add("a")
    queue.take(0)
    queue.done("a", again_at=300)
    assert queue.next_wake() == 300
    assert queue.take(299) is None
    assert queue.take(300) == "a"


def test_an_event_before_the_resync_takes_its_place(queue: WorkQueue[str]) -> None:
    queue.add("a")
    queue.take(0)
    queue.done("a", again_at=300)
    queue.add("a")
    assert queue.take(1) == "a"
    queue.done("a", again_at=301)
    assert queue.take(300) is None
    assert queue.take(301) == "a"


def test_a_key_that_is_done_comes_back_only_when_it_is_asked_for(queue: WorkQueue[str]) -> None:
    queue.add("a")
    queue.take(0)
    queue.done("a")
    assert queue.next_wake() is None
    assert queue.take(1e9) is None


class Workers(RuleBasedStateMachine):
    """Any interleaving: one worker per key, no request lost, no key kept for ever."""

    def __init__(self) -> None:
        super().__init__()
        self.queue: WorkQueue[str] = WorkQueue()
        self.now = 0.0
        self.working: set[str] = set()
        self.owed: set[str] = set()

    @rule(key=st.sampled_from("abc"), wake=st.booleans())
    def ask(self, key: str, wake: bool) -> None:
        (self.queue.wake if wake else self.queue.add)(key)
        self.owed.add(key)

    @rule()
    def take(self) -> None:
        key = self.queue.take(self.now)
        if key is not None:
            assert key not in self.working
            self.working.add(key)
            self.owed.discard(key)

    @precondition(lambda self: self.working)
    @rule(data=st.data(), well=st.booleans())
    def finish(self, data: st.DataObject, well: bool) -> None:
        key = data.draw(st.sampled_from(sorted(self.working)))
        self.working.discard(key)
        if well:
            self.queue.done(key)
        else:
            self.queue.failed(key, self.now)
            self.owed.add(key)

    @rule(seconds=st.floats(0, 400))
    def pass_time(self, seconds: float) -> None:
        self.now += seconds

    @invariant()
    def what_is_owed_comes(self) -> None:
        if self.owed - self.working:
            due = self.queue.next_wake()
            assert due is not None
            assert due <= self.now + 300


TestWorkers = Workers.TestCase
TestWorkers.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
