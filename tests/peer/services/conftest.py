"""Ordering services and a peer on real folders."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from harness.onepeer import Consortium, OnePeer
from harness.ordering import Network
from treadle_peer.order import OrderingService


@pytest.fixture(scope="session")
def network(tmp_path_factory: pytest.TempPathFactory) -> Network:
    return Network.make(tmp_path_factory.mktemp("network"))


@pytest.fixture
async def ordering(network: Network, tmp_path: Path) -> AsyncIterator[OrderingService]:
    async with network.service(tmp_path / "ordering") as service:
        yield service


@pytest.fixture
def peer(tmp_path: Path) -> Iterator[OnePeer]:
    """A peer with one joined channel."""
    consortium = Consortium()
    one = OnePeer(tmp_path, consortium)
    one.channels.join(consortium.genesis())
    yield one
    one.close()
