"""Ordering services on real folders."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from harness.ordering import Network
from treadle_peer.order import OrderingService


@pytest.fixture(scope="session")
def network(tmp_path_factory: pytest.TempPathFactory) -> Network:
    return Network.make(tmp_path_factory.mktemp("network"))


@pytest.fixture
async def ordering(network: Network, tmp_path: Path) -> AsyncIterator[OrderingService]:
    async with network.service(tmp_path / "ordering") as service:
        yield service
