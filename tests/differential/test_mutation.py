"""Whatever changes in what our peer says is noticed: no field is left out of the comparison."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest
from harness.differential.events import Recording
from harness.differential.mutation import unnoticed

Recordings = Mapping[str, Recording]

pytestmark = pytest.mark.toolchain("go")


@pytest.mark.long
@pytest.mark.timeout(1200)
def test_every_changed_field_is_noticed(ours: Recordings, say: Callable[[str], None]) -> None:
    total, missed = 0, []
    for recording in ours.values():
        count, more = unnoticed(recording)
        total += count
        missed += more
    say(f"{total} changed fields in {len(ours)} conversations, {len(missed)} not noticed")
    assert total > 10_000
    assert not missed, "\n".join(missed[:50])


@pytest.mark.parametrize("key", ["getmissing", "putget"])
def test_a_changed_field_of_these_is_noticed(key: str, golden: Recordings) -> None:
    count, missed = unnoticed(golden[key])
    assert count > 50
    assert not missed
