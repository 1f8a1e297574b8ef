"""A peer whose chaincodes an operator runs; the tests play the operator over real gRPC."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from harness.operators import operator_settings
from harness.peers import PeerProcess, Peers, lasting_addresses
from harness.processes import Started

MakePeer = Callable[..., PeerProcess]


@pytest.fixture
def make_peer(tmp_path: Path) -> Iterator[MakePeer]:
    """``make_peer(**env)``: one with launcher ``operator``, on ports that outlast restarts."""
    peers = Peers(tmp_path)

    def make(**extra: str) -> PeerProcess:
        return peers(extra={**lasting_addresses(), **operator_settings(), **extra})

    yield make
    peers.end()


@pytest.fixture(scope="module")
def shared_peer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PeerProcess]:
    """One for a whole file; each test names chaincodes of its own."""
    peers = Peers(tmp_path_factory.mktemp("operated"))
    yield peers(extra=operator_settings())
    peers.end()


@pytest.fixture
def pods() -> Iterator[list[Started]]:
    """What is put in here is ended with the test."""
    started: list[Started] = []
    yield started
    for pod in started:
        pod.stop()
