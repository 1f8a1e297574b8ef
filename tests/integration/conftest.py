"""Real peers as processes, each in a folder of its own, and the real Fabric command for them."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from harness.chaincodes import start_by_hand
from harness.fabric_cli import FabricCli
from harness.processes import Started, wait_until

START_SECONDS = 60.0
PEER_COMMAND = (sys.executable, "-m", "treadle_cli.peer_command")


@dataclass(kw_only=True)
class PeerProcess:
    """One ``peer node start``. ``folder`` holds its data and its output, also after its end."""

    folder: Path
    environment: Mapping[str, str]
    arguments: Sequence[str] = ()
    starts: int = 0
    _process: Started | None = field(default=None, repr=False)

    @property
    def data(self) -> Path:
        """peer.fileSystemPath."""
        return self.folder / "data"

    @property
    def process(self) -> Started:
        """The running (or last) process."""
        assert self._process is not None
        return self._process

    def launch(self) -> Started:
        """Start it without waiting for anything."""
        self.starts += 1
        self.folder.mkdir(parents=True, exist_ok=True)
        self._process = Started(
            [*PEER_COMMAND, "node", "start", *self.arguments],
            output=self.folder / f"output.{self.starts}",
            environment=self.environment,
            cwd=self.folder,
        )
        return self._process

    def start(self, *, within: float = START_SECONDS) -> PeerProcess:
        """Start it and wait until it says that it is ready."""
        process = self.launch()
        file = self.data / "run" / "addresses.json"

        def ready() -> bool:
            assert process.running(), f"the peer ended:\n{process.text()}"
            return file.exists() and json.loads(file.read_bytes())["pid"] == process.pid

        wait_until(ready, within=within, what="the peer being ready")
        return self

    @property
    def addresses(self) -> dict[str, Any]:
        """What it listens on: peer, chaincode, ordering, operations."""
        content: dict[str, Any] = json.loads((self.data / "run" / "addresses.json").read_bytes())
        return content

    @property
    def exports(self) -> dict[str, str]:
        """The variables that its banner tells a user to export."""
        lines = [line for line in self.process.text().splitlines() if line.startswith("export ")]
        pairs = (line.removeprefix("export ").split("=", 1) for line in lines)
        return {name: value.strip("'") for name, value in pairs}

    def stop(self) -> int:
        """SIGTERM, and its exit code."""
        os.kill(self.process.pid, 15)
        return self.process.wait(within=60)

    def kill(self) -> None:
        """SIGKILL, as a crash."""
        self.process.kill()

    def end(self) -> None:
        """End it however it is; for fixtures."""
        if self._process is not None:
            self._process.stop()


PeerFactory = Callable[..., PeerProcess]


@pytest.fixture
def peer_process(tmp_path: Path) -> Iterator[PeerFactory]:
    """Start peers: ``peer_process(name, mode=..., tls=..., mutual_tls=..., extra={...})``.

    All ports are free ones of the loopback interface. ``start=False`` gives one not yet started.
    """
    made: list[PeerProcess] = []

    def make(
        name: str = "peer0",
        *,
        mode: str = "net",
        tls: bool = False,
        mutual_tls: bool = False,
        extra: Mapping[str, str] | None = None,
        start: bool = True,
    ) -> PeerProcess:
        folder = tmp_path / name
        peer = PeerProcess(
            folder=folder,
            environment={
                **_bare_environment(),
                "CORE_PEER_ID": name,
                "CORE_PEER_FILESYSTEMPATH": str(folder / "data"),
                "CORE_PEER_LISTENADDRESS": "127.0.0.1:0",
                "CORE_PEER_ADDRESS": "127.0.0.1:0",
                "CORE_PEER_CHAINCODELISTENADDRESS": "127.0.0.1:0",
                "CORE_OPERATIONS_LISTENADDRESS": "127.0.0.1:0",
                "CORE_TREADLE_ORDERING_LISTENADDRESS": "127.0.0.1:0",
                "CORE_PEER_TLS_ENABLED": str(tls or mutual_tls).lower(),
                "CORE_PEER_TLS_CLIENTAUTHREQUIRED": str(mutual_tls).lower(),
                **(extra or {}),
            },
            arguments=["--peer-chaincodedev"] if mode == "dev" else [],
        )
        made.append(peer)
        return peer.start() if start else peer

    yield make
    for peer in made:
        peer.end()


def _bare_environment() -> dict[str, str]:
    """This process's environment without what configures a Fabric peer."""
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("CORE_", "FABRIC_"))
    }


CliFactory = Callable[[PeerProcess], FabricCli]


@pytest.fixture
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
    """Start an example chaincode by the documented line; it ends with the test."""
    started: list[Started] = []

    def start(language: str, folder: Path, *, ccid: str, address: str) -> Started:
        output = tmp_path / f"chaincode-{len(started)}.log"
        process = start_by_hand(language, folder, ccid=ccid, address=address, output=output)
        started.append(process)
        return process

    yield start
    for process in started:
        process.stop()
