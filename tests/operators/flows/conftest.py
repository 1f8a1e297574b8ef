"""A Peer that is ready, for flows whose chaincodes have names of their own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from harness.nodes.machine import Machine
from harness.operating.operated import Operated, operated


@pytest.fixture(scope="module")
def trade(machine: Machine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Operated]:
    """A namespace with an operator and the ready Peer peer0, on two channels."""
    channels = [{"name": "mychannel"}, {"name": "second"}]
    with operated(machine, tmp_path_factory.mktemp("trade"), channels=channels) as running:
        yield running
