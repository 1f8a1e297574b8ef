"""The two peers that conversations are held with: a real Fabric 2.5.9 network, and ours.

Both have Org1's peer identity, so that endorsements differ in nothing but the signature, in one
organisation's network with an orderer that makes one block per transaction.
"""

from __future__ import annotations

import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from harness.differential.material import FixedConsortium
from harness.peers import PeerProcess, Peers
from harness.real_network import RealNetwork
from treadle_peer.main.folders import DataFolders

CONSORTIUM = "SampleConsortium"
EXECUTE_SECONDS = 10  # more than any script needs on a machine under load
QUERY_LIMIT = 3_000
SETTINGS = {
    "CORE_CHAINCODE_EXECUTETIMEOUT": f"{EXECUTE_SECONDS}s",
    "CORE_LEDGER_STATE_TOTALQUERYLIMIT": str(QUERY_LIMIT),
}


class Target(Protocol):
    """One peer with its orderer."""

    name: str

    @property
    def peer_address(self) -> str: ...

    @property
    def chaincode_address(self) -> str: ...

    @property
    def orderer_address(self) -> str: ...

    @property
    def texts(self) -> dict[str, str]:
        """Parts of texts that are this run's own, and what stands for them."""
        ...

    def start(self) -> None: ...

    def stop(self) -> None: ...


@dataclass(slots=True)
class RealTarget:
    """Fabric's own peer (development mode) and solo orderer."""

    folder: Path
    binaries: Path
    network: RealNetwork
    name: str = "real"

    @classmethod
    def make(cls, folder: Path, binaries: Path) -> RealTarget:
        crypto = folder / "material"
        write_crypto(crypto)
        network = RealNetwork(
            folder=folder / "network",
            binaries=binaries,
            crypto=crypto,
            max_message_count=1,
            peer_settings=SETTINGS,
            builders=[{"name": "none", "path": str(write_builder(folder / "builder"))}],
        )
        return cls(folder, binaries, network)

    @property
    def peer_address(self) -> str:
        return self.network.peer_address

    @property
    def chaincode_address(self) -> str:
        return self.network.chaincode_address

    @property
    def orderer_address(self) -> str:
        return self.network.orderer_address

    @property
    def texts(self) -> dict[str, str]:
        return _texts(self, self.network.folder / "peer")

    def start(self) -> None:
        self.network.start()

    def stop(self) -> None:
        self.network.stop()


@dataclass(slots=True)
class OurTarget:
    """``peer node start --peer-chaincodedev`` with Org1's peer identity."""

    folder: Path
    process: PeerProcess
    name: str = "ours"

    @classmethod
    def make(cls, folder: Path) -> OurTarget:
        consortium = FixedConsortium()
        consortium.org1.write_msp(folder / "msp", consortium.peer.identity)
        process = Peers(folder)(
            "peer",
            mode="dev",
            start=False,
            extra={
                "CORE_PEER_LOCALMSPID": "Org1MSP",
                "CORE_PEER_MSPCONFIGPATH": str(folder / "msp"),
                **SETTINGS,
            },
        )
        write_ordering(consortium, DataFolders(process.data))
        return cls(folder, process)

    @property
    def peer_address(self) -> str:
        return str(self.process.addresses["peer"])

    @property
    def chaincode_address(self) -> str:
        return str(self.process.addresses["chaincode"])

    @property
    def orderer_address(self) -> str:
        return str(self.process.addresses["ordering"])

    @property
    def texts(self) -> dict[str, str]:
        return _texts(self, self.process.data)

    def start(self) -> None:
        self.process.start()

    def stop(self) -> None:
        self.process.end()


def _texts(target: Target, data: Path) -> dict[str, str]:
    return {
        str(data): "<data folder>",
        target.peer_address: "<peer address>",
        target.chaincode_address: "<chaincode address>",
        target.orderer_address: "<orderer address>",
    }


def write_crypto(folder: Path) -> None:
    """The fixed material in the folders that cryptogen would make."""
    cast = FixedConsortium()
    org1 = folder / "peerOrganizations" / "org1.test"
    ordering = folder / "ordererOrganizations" / "ord.test"
    cast.org1.write_msp(org1 / "msp", cast.admin.identity)
    cast.org1.write_msp(org1 / "peers" / "peer0.org1.test" / "msp", cast.peer.identity)
    cast.org1.write_msp(org1 / "users" / "Admin@org1.test" / "msp", cast.admin.identity)
    cast.orderer_org.write_msp(ordering / "msp", cast.orderer.identity)
    node = ordering / "orderers" / "orderer.ord.test"
    cast.orderer_org.write_msp(node / "msp", cast.orderer.identity)


def write_ordering(cast: FixedConsortium, folders: DataFolders) -> None:
    """The fixed orderer, where our peer keeps the one that it would otherwise generate."""
    with folders.take():
        cast.orderer_org.save(folders.ordering_identity / "organization")
        cast.orderer_org.write_msp(folders.ordering_identity / "msp", cast.orderer.identity)


def write_builder(folder: Path) -> Path:
    """An external builder that takes every package and builds nothing.

    Without one a real peer answers an install with what Docker lacks, though the install stands.
    """
    for name in ("detect", "build", "release"):
        script = folder / "bin" / name
        script.parent.mkdir(parents=True, exist_ok=True)
        script.write_text("#!/bin/sh\nexit 0\n")
        script.chmod(script.stat().st_mode | stat.S_IXUSR)
    return folder
