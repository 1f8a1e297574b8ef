"""``peer node start`` as a process, in a folder of its own and on loopback ports."""

from __future__ import annotations

import json
import os
import random
import socket
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness.processes import Started, wait_until

LISTENERS = (
    "CORE_PEER_LISTENADDRESS",
    "CORE_PEER_CHAINCODELISTENADDRESS",
    "CORE_OPERATIONS_LISTENADDRESS",
    "CORE_TREADLE_ORDERING_LISTENADDRESS",
)
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
            try:
                content = file.read_bytes()
            except FileNotFoundError:  # not yet written, or an earlier one just taken away
                return False
            return json.loads(content)["pid"] == process.pid

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
        # The banner is printed once the addresses are written, not before.
        self.process.wait_for_text("Commands that order transactions also take", within=10)
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


class Peers:
    """Makes peers below *folder*, and ends them all."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._made: list[PeerProcess] = []

    def __call__(
        self,
        name: str = "peer0",
        *,
        mode: str = "net",
        tls: bool = False,
        mutual_tls: bool = False,
        extra: Mapping[str, str] | None = None,
        start: bool = True,
    ) -> PeerProcess:
        """A peer on free ports, of mode ``net`` or ``dev``; ``start=False``: not yet started."""
        folder = self._folder / name
        peer = PeerProcess(
            folder=folder,
            environment={
                **_bare_environment(),
                **dict.fromkeys(LISTENERS, "127.0.0.1:0"),
                "CORE_PEER_ID": name,
                "CORE_PEER_FILESYSTEMPATH": str(folder / "data"),
                "CORE_PEER_ADDRESS": "127.0.0.1:0",
                "CORE_PEER_TLS_ENABLED": str(tls or mutual_tls).lower(),
                "CORE_PEER_TLS_CLIENTAUTHREQUIRED": str(mutual_tls).lower(),
                **(extra or {}),
            },
            arguments=["--peer-chaincodedev"] if mode == "dev" else [],
        )
        self._made.append(peer)
        return peer.start() if start else peer

    def end(self) -> None:
        """End all of them."""
        for peer in self._made:
            peer.end()


def lasting_addresses() -> dict[str, str]:
    """Settings with fixed free ports, for a peer whose clients outlive its restarts.

    Not of the ephemeral range: a client that dials such a port while nobody listens there may be
    given it as its own, and then talks to itself.
    """
    settings = {name: f"127.0.0.1:{unused_port()}" for name in LISTENERS}
    return settings | {"CORE_PEER_ADDRESS": settings["CORE_PEER_LISTENADDRESS"]}


def unused_port() -> int:
    """A port that nobody listens at, and that no connection is given by chance."""
    while True:
        port = random.SystemRandom().randrange(11_000, 32_000)
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)):
                return port


def _bare_environment() -> dict[str, str]:
    """This process's environment without what configures a Fabric peer."""
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("CORE_", "FABRIC_"))
    }
