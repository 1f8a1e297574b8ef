"""Whatever changes in what our peer says is noticed: no field is left out of the comparison."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping

import pytest
from harness.differential.events import Recording
from harness.differential.mutation import Sample, unjudged, unnoticed, unnoticed_losses
from harness.differential.normal import normal

Recordings = Mapping[str, Recording]

pytestmark = pytest.mark.toolchain("go")
OF_A_KIND = int(os.environ.get("TREADLE_MUTANTS", "5"))
"""Mutants of one field of one kind of message; the field appears in many conversations."""
JUDGED = 4  # mutants of one conversation that are compared with the real peer's recording


@pytest.mark.long
@pytest.mark.timeout(900)
def test_every_changed_field_is_noticed(ours: Recordings, say: Callable[[str], None]) -> None:
    sample = Sample(OF_A_KIND)
    total, missed = 0, []
    for recording in ours.values():
        for count, more in (unnoticed(recording, sample), unnoticed_losses(recording)):
            total += count
            missed += more
    say(f"{total} mutants of {len(ours)} conversations, {len(missed)} not noticed")
    assert total > 10_000
    assert not missed, "\n".join(missed[:50])


@pytest.mark.long
@pytest.mark.timeout(1200)
def test_the_verdict_lets_no_change_pass(
    ours: Recordings, golden: Recordings, say: Callable[[str], None]
) -> None:
    total, missed = 0, []
    for key, recording in ours.items():
        count, more = unjudged(key, {key: normal(golden[key])}, recording, JUDGED)
        total += count
        missed += more
    say(f"{total} mutants judged, {len(missed)} let pass")
    assert not missed, "\n".join(missed[:50])


@pytest.mark.parametrize("key", ["getmissing", "putget"])
def test_a_changed_field_of_these_is_noticed(key: str, golden: Recordings) -> None:
    count, missed = unnoticed(golden[key], Sample(1_000))
    assert count > 50
    assert not missed


@pytest.mark.parametrize("key", ["getmissing", "putget"])
def test_a_lost_or_doubled_event_of_these_is_noticed(key: str, golden: Recordings) -> None:
    count, missed = unnoticed_losses(golden[key])
    assert count > 4
    assert not missed


@pytest.mark.parametrize("key", ["getmissing", "errornochannel"])
def test_the_verdict_lets_no_change_of_these_pass(key: str, golden: Recordings) -> None:
    count, missed = unjudged(key, golden, golden[key], JUDGED)
    assert count > JUDGED
    assert not missed
