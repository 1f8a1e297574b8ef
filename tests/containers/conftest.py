"""A real engine with our own images, and a production peer that launches in its containers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from harness.contained import Contained, docker_settings
from harness.engine import ContainerEngine
from harness.engine_images import load_images, remove_folder
from harness.fabric_cli import FabricCli
from harness.peers import PeerProcess, Peers

IMAGES = ["builder-golang", "runtime-golang", "builder-node", "runtime-node"]
IMAGES += ["builder-python", "runtime-python"]


@pytest.fixture(scope="session")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ContainerEngine]:
    """One engine for all tests; what it keeps is removed at the end."""
    folder = tmp_path_factory.mktemp("engine")
    running = ContainerEngine(folder, data=folder / "data")
    try:
        load_images(running.start(), IMAGES, folder=folder)
        yield running
    finally:
        running.stop()
        remove_folder(folder / "data")


@pytest.fixture(scope="session")
def fabric_cli(fabric_bin: Path) -> Callable[[PeerProcess], FabricCli]:
    """The real Fabric ``peer`` command as the admin of a peer's generated network."""

    def make(peer: PeerProcess) -> FabricCli:
        exports = peer.exports
        return FabricCli(
            binary=fabric_bin / "peer",
            config=Path(exports["FABRIC_CFG_PATH"]),
            msp_id=exports["CORE_PEER_LOCALMSPID"],
            msp_folder=Path(exports["CORE_PEER_MSPCONFIGPATH"]),
            peer_address=exports["CORE_PEER_ADDRESS"],
            orderer_address=peer.addresses["ordering"],
        )

    return make


@pytest.fixture(scope="module")
def contained(
    engine: ContainerEngine,
    fabric_cli: Callable[[PeerProcess], FabricCli],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Contained]:
    """One peer for all tests of a file; each goes on from whatever state the others left."""
    peers = Peers(tmp_path_factory.mktemp("contained"))
    peer = peers(extra=docker_settings(engine))
    yield Contained(peer=peer, make_cli=fabric_cli, engine=engine)
    peers.end()
