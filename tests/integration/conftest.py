"""Real peers as processes, each in a folder of its own, and the real Fabric command for them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from harness.chaincodes import start_bridged, start_by_hand
from harness.fabric_cli import FabricCli
from harness.peers import PeerProcess, Peers
from harness.processes import Started
from harness.workbench import Workbench

PeerFactory = Callable[..., PeerProcess]


@pytest.fixture(scope="session")
def workbench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workbench]:
    """A development peer that several files share; each names chaincodes of its own."""
    folder = tmp_path_factory.mktemp("workbench")
    peers = Peers(folder)
    bench = Workbench(peers(mode="dev"), folder)
    try:
        yield bench
    finally:
        bench.end()
        peers.end()


@pytest.fixture
def peer_process(tmp_path: Path) -> Iterator[PeerFactory]:
    """Start peers: ``peer_process(name, mode=..., tls=..., mutual_tls=..., extra={...})``.

    All ports are free ones of the loopback interface. ``start=False`` gives one not yet started.
    """
    peers = Peers(tmp_path)
    yield peers
    peers.end()


CliFactory = Callable[[PeerProcess], FabricCli]


@pytest.fixture(scope="session")
def fabric_cli(fabric_bin: Path) -> CliFactory:
    """The real Fabric ``peer`` command as the admin of a peer's generated network.

    Built from the banner's export lines alone, so these are tested with it.
    """

    def make(peer: PeerProcess) -> FabricCli:
        exports = peer.exports
        root = exports.get("CORE_PEER_TLS_ROOTCERT_FILE")
        key = exports.get("CORE_PEER_TLS_CLIENTKEY_FILE")
        certificate = exports.get("CORE_PEER_TLS_CLIENTCERT_FILE")
        return FabricCli(
            binary=fabric_bin / "peer",
            config=Path(exports["FABRIC_CFG_PATH"]),
            msp_id=exports["CORE_PEER_LOCALMSPID"],
            msp_folder=Path(exports["CORE_PEER_MSPCONFIGPATH"]),
            peer_address=exports["CORE_PEER_ADDRESS"],
            orderer_address=peer.addresses["ordering"],
            tls_root=Path(root) if root else None,
            client_key=Path(key) if key else None,
            client_certificate=Path(certificate) if certificate else None,
        )

    return make


@pytest.fixture
def by_hand(tmp_path: Path) -> Iterator[Callable[..., Started]]:
    """``by_hand(language, folder, ccid=…, address=…)``: the documented lines, in this test."""
    started: list[Started] = []

    def start(language: str, folder: Path, **told: Any) -> Started:
        output = tmp_path / f"chaincode-{len(started)}.log"
        if language == "python":
            started.extend(start_bridged(folder, output=output, **told))
        else:
            started.append(start_by_hand(language, folder, output=output, **told))
        return started[-1]

    yield start
    for process in started:
        process.stop()
