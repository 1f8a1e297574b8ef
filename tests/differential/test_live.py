"""A real Fabric 2.5.9 peer and ours, now: what ``make diff`` does."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from harness.differential.catalog import all_conversations
from harness.differential.compare import differences, judge
from harness.differential.deliberate import DELIBERATE
from harness.differential.events import Recording
from harness.differential.reporting import held_by_real

Recordings = Mapping[str, Recording]

pytestmark = [
    pytest.mark.long,
    pytest.mark.real_fabric,
    pytest.mark.toolchain("go"),
    pytest.mark.timeout(900),
]


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory, fabric_bin: Path) -> Recordings:
    """What a real peer says today."""
    return held_by_real(all_conversations(), tmp_path_factory.mktemp("real"), fabric_bin)


def test_both_peers_say_the_same(
    real: Recordings, ours: Recordings, say: Callable[[str], None]
) -> None:
    verdict = judge(real, ours, DELIBERATE)
    say(f"{len(ours)} conversations, {len(verdict.unexplained)} differences")
    assert not verdict.unexplained, "\n".join(map(str, verdict.unexplained))
    assert not verdict.idle


def test_no_script_breaks(real: Recordings, ours: Recordings) -> None:
    broken = {key for each in (real, ours) for key, recording in each.items() if recording.broken}
    assert not broken


def test_the_recordings_are_what_the_real_peer_says(real: Recordings, golden: Recordings) -> None:
    changed = [
        difference
        for key, recording in real.items()
        for difference in differences(key, golden[key], recording)
    ]
    assert not changed, "\n".join(map(str, changed))
