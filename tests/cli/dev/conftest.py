"""A development peer for all tests of ``treadle dev``; each names chaincodes of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from harness.developing import DevelopmentPeer, connecting
from harness.peers import Peers, lasting_addresses
from harness.processes import Started

Connecting = Callable[..., Started]


@pytest.fixture(scope="session")
def development_peer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DevelopmentPeer]:
    """Its ports stay the same when it is started again."""
    peers = Peers(tmp_path_factory.mktemp("development"))
    yield DevelopmentPeer(peers(mode="dev", extra=lasting_addresses()))
    peers.end()


@pytest.fixture
def connected(tmp_path: Path) -> Iterator[Connecting]:
    """``connected(peer, name, *command, options=…, folder=…)``; ends with the test."""
    started: list[Started] = []

    def start(peer: DevelopmentPeer | str, name: str, *command: str, **told: object) -> Started:
        address = peer if isinstance(peer, str) else peer.chaincode
        output = tmp_path / f"connect-{len(started)}.log"
        started.append(connecting(address, name, *command, output=output, **told))
        return started[-1]

    yield start
    for process in started:
        process.stop()
