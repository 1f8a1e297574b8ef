"""Where everything lies below the peer's one data folder."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from treadle_peer.config import ConfigurationError
from treadle_peer.storage import FolderLock, Format, StorageError

DATA_FORMAT: Final = Format("data", 1)


@dataclass(frozen=True, slots=True)
class DataFolders:
    """Paths below ``root`` (``peer.fileSystemPath``)."""

    root: Path

    def take(self) -> FolderLock:
        """Make the folder, or check that it is a peer's and of this version, and lock it.

        Raises ConfigurationError when it cannot be one, StorageError when another peer has it.
        """
        try:
            DATA_FORMAT.claim(self.root)
        except StorageError as error:
            raise ConfigurationError("peer.fileSystemPath", str(self.root), str(error)) from error
        return FolderLock(self.root)

    @property
    def network(self) -> Path:
        """The generated organisation: authorities, the peer's and the admin's MSP."""
        return self.root / "network"

    @property
    def client(self) -> Path:
        """What a client of a generated network needs: admin MSP, TLS files, core.yaml."""
        return self.root / "client"

    @property
    def tls(self) -> Path:
        """The server certificate of a generated network, made at every start."""
        return self.root / "tls"

    @property
    def ordering_identity(self) -> Path:
        """The ordering's organisation and signer."""
        return self.root / "ordering" / "identity"

    @property
    def ordering_blocks(self) -> Path:
        """The ordering's blocks."""
        return self.root / "ordering" / "blocks"

    @property
    def ledger(self) -> Path:
        """The ledgers of all channels."""
        return self.root / "ledger"

    @property
    def packages(self) -> Path:
        """Installed packages, in Fabric's layout."""
        return self.root / "chaincodes"

    @property
    def chaincode_authority(self) -> Path:
        """The chaincode CA and the development certificate."""
        return self.root / "chaincode" / "authority"

    @property
    def launches(self) -> Path:
        """Builds, logs and keys of launched chaincode."""
        return self.root / "chaincode" / "launch"

    @property
    def runtimes(self) -> Path:
        """What an operator has to run, and what its builds gave."""
        return self.root / "chaincode" / "runtimes"

    @property
    def policies(self) -> Path:
        """Which chaincodes an operator has opened for development."""
        return self.root / "chaincode" / "policies.json"

    @property
    def operator(self) -> Path:
        """The authority of the operator's port, and a client certificate for an operator."""
        return self.root / "operator"

    @property
    def addresses(self) -> Path:
        """Where the bound addresses are written once the peer is ready."""
        return self.run / "addresses.json"

    @property
    def control(self) -> Path:
        """The socket by which commands on this machine ask the running peer for something."""
        return self.run / "control.sock"

    @property
    def run(self) -> Path:
        """What is true only while the peer runs."""
        return self.root / "run"

    @property
    def backup_scratch(self) -> Path:
        """Second names of database files while a backup is made."""
        return self.root / "backup"

    @property
    def passing(self) -> tuple[Path, ...]:
        """What a copy of the folder is better without."""
        names = ("FORMAT", "LOCK", "lost+found")
        others = (self.run, self.backup_scratch, self.launches)
        return (*(self.root / name for name in names), *others)
