"""Streams that are silent for minutes stay usable: no ping is answered with a GOAWAY.

The silence begins before the first test of the run and is over in these, which run last (see
conftest.py): so it costs a long run nothing.
"""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from harness.idling import IdleStreams

MINUTE = 60.0

pytestmark = [
    pytest.mark.long,
    pytest.mark.timeout(1000),
    pytest.mark.toolchain("go"),
    pytest.mark.toolchain("node"),
]


@pytest.mark.parametrize(("language", "minutes"), [("go", 6), ("node", 12)])
def test_an_idle_stream_still_serves(
    language: str, minutes: int, idle_streams: IdleStreams, say: Callable[[str], None]
) -> None:
    silent = idle_streams.stay_silent(language, seconds=minutes * MINUTE)
    before = idle_streams.rows[language]
    row = idle_streams.row(language)
    assert row["since"] == before["since"], "it has connected anew"
    answer = json.loads(idle_streams.call(language, "get", "word"))
    assert answer == {"key": "word", "value": "before"}
    for process in (idle_streams.processes[language], idle_streams.peer.process):
        for complaint in ("ENHANCE_YOUR_CALM", "too_many_pings", "GOAWAY"):
            assert complaint not in process.text()
    say(f"{language}: silent for {silent:.0f} s, then served")
