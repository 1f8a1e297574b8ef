"""One peer for each file, whose operator and kubelet the tests play."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from harness.operators import operator_settings
from harness.peers import PeerProcess, Peers, lasting_addresses
from harness.pods import PodFolders

MakePeer = Callable[[], PeerProcess]


@pytest.fixture
def peer(tmp_path: Path) -> Iterator[PeerProcess]:
    """Its ports outlast restarts."""
    peers = Peers(tmp_path)
    yield peers(extra={**lasting_addresses(), **operator_settings()})
    peers.end()


@pytest.fixture
def pods() -> Iterator[list[PodFolders]]:
    """What is put in here is ended with the test."""
    made: list[PodFolders] = []
    yield made
    for one in made:
        one.end()
