"""A real peer whose chaincodes an operator runs, and the operator's link to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from harness.operating.links import Heard, linked
from harness.operators import operator_settings
from harness.peers import PeerProcess, Peers, lasting_addresses
from harness.processes import Started


@pytest.fixture
def peer(tmp_path: Path) -> Iterator[PeerProcess]:
    """On ports that outlast restarts."""
    peers = Peers(tmp_path)
    yield peers(extra={**lasting_addresses(), **operator_settings()})
    peers.end()


@pytest.fixture
def heard() -> Heard:
    return Heard()


@pytest.fixture
def link(peer: PeerProcess, heard: Heard) -> Callable[[], object]:
    """``async with link() as …``."""
    return lambda: linked(peer, heard)


@pytest.fixture
def pods() -> Iterator[list[Started]]:
    """What is put in here is ended with the test."""
    started: list[Started] = []
    yield started
    for pod in started:
        pod.stop()
