"""A peer with one joined channel."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from harness.onepeer import Consortium, OnePeer


@pytest.fixture(scope="session")
def consortium() -> Consortium:
    return Consortium()


@pytest.fixture
def peer(tmp_path: Path, consortium: Consortium) -> Iterator[OnePeer]:
    one = OnePeer(tmp_path, consortium)
    one.channels.join(consortium.genesis())
    yield one
    one.close()
