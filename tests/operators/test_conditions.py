"""Conditions follow the conventions of Kubernetes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from treadle_operator.conditions import Condition, merge, transitions

NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)
LATER = NOON + timedelta(hours=1)
READY = Condition("Ready", True, "PeerReady", "it is up")


def test_the_first_condition_has_all_fields() -> None:
    assert merge([], [READY], generation=3, now=NOON) == [
        {
            "type": "Ready",
            "status": "True",
            "reason": "PeerReady",
            "message": "it is up",
            "lastTransitionTime": "2026-11-01T12:00:00Z",
            "observedGeneration": 3,
        }
    ]


def test_the_time_moves_with_the_status_and_with_nothing_else() -> None:
    first = merge([], [READY], generation=1, now=NOON)
    other = Condition("Ready", True, "Other", "still up")
    second = merge(first, [other], generation=2, now=LATER)
    assert second[0]["lastTransitionTime"] == first[0]["lastTransitionTime"]
    assert (second[0]["reason"], second[0]["observedGeneration"]) == ("Other", 2)
    down = Condition("Ready", None, "Other", "who knows")
    third = merge(second, [down], generation=2, now=LATER)
    assert (third[0]["status"], third[0]["lastTransitionTime"]) == (
        "Unknown",
        "2026-11-01T13:00:00Z",
    )


def test_types_that_are_not_wanted_any_more_go_and_the_rest_is_sorted() -> None:
    first = merge([], [READY, Condition("Old", True, "R", "m")], generation=1, now=NOON)
    second = merge(first, [READY, Condition("A", False, "R", "m")], generation=1, now=NOON)
    assert [item["type"] for item in second] == ["A", "Ready"]


def test_a_long_message_is_cut_to_what_an_event_can_hold() -> None:
    long = Condition("Ready", False, "R", "x" * 5000)
    (merged,) = merge([], [long], generation=1, now=NOON)
    assert len(str(merged["message"])) == 1024


def test_equal_conditions_deserve_no_event() -> None:
    stored = merge([], [READY], generation=1, now=NOON)
    assert transitions(stored, [READY]) == []
    assert transitions(stored, [Condition("Ready", True, "PeerReady", "in other words")]) == []


def test_a_new_status_or_reason_deserves_one_unless_it_is_to_be_quiet() -> None:
    stored = merge([], [READY], generation=1, now=NOON)
    down = Condition("Ready", False, "PodCrashing", "exit code 1", told="Warning")
    quiet = Condition("Progressing", False, "PodCrashing", "exit code 1", told=None)
    (found,) = transitions(stored, [down, quiet])
    assert (found.condition, found.told) == (down, "Warning")


def test_the_same_change_after_another_time_is_another_transition() -> None:
    down = Condition("Ready", False, "PodCrashing", "exit code 1", told="Warning")
    early = merge([], [READY], generation=1, now=NOON)
    late = merge([], [READY], generation=1, now=LATER)
    (one,), (two,) = transitions(early, [down]), transitions(late, [down])
    assert one.since != two.since
    assert transitions(early, [down]) == [one]
