"""Ours against what a real Fabric 2.5.9 peer said when the conversations were recorded."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from harness.differential.catalog import all_conversations
from harness.differential.compare import judge
from harness.differential.deliberate import DELIBERATE
from harness.differential.events import Recording

Recordings = Mapping[str, Recording]

pytestmark = pytest.mark.toolchain("go")  # of the program that production mode launches


@pytest.mark.parametrize("key", all_conversations())
@pytest.mark.timeout(600)
def test_ours_says_what_the_real_peer_said(key: str, ours: Recordings, golden: Recordings) -> None:
    assert key in golden, "not recorded yet: tools/diff.py --record"
    assert not ours[key].broken, ours[key].broken
    verdict = judge(golden, {key: ours[key]}, DELIBERATE)
    assert not verdict.unexplained, "\n".join(map(str, verdict.unexplained))
    assert not verdict.idle
