"""``treadle dev`` as its users have it: a development peer, and the command as a process."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from harness.chaincodes import built, sources
from harness.peers import PeerProcess
from harness.processes import Started, wait_until
from harness.runtimes import CHANNEL, wait_for_runtime
from treadle_cli.local.network import LocalNetwork
from treadle_fabric.client import Deployment, EndorsementFailed
from treadle_fabric.packages import build_legacy_package

TREADLE = (sys.executable, "-m", "treadle_cli.main")
COMMANDS = {
    "go": ["./chaincode"],
    "node": ["node", "index.js"],
    "java": ["java", "-jar", "target/chaincode.jar"],
    "python": [".venv/bin/python", "chaincode.py"],
}


class DevelopmentPeer:
    """A peer whose chaincodes are called ``<name>:1``; *tls* as it was started."""

    def __init__(self, process: PeerProcess, *, tls: bool = False) -> None:
        self.process = process
        self.tls = tls

    @property
    def chaincode(self) -> str:
        """Where chaincodes register."""
        address: str = self.process.addresses["chaincode"]
        return address

    def network(self) -> LocalNetwork:
        """As the administrator has it."""
        return LocalNetwork.of_folder(
            self.process.data / "client",
            msp_id="Org1MSP",
            peer=self.process.addresses["peer"],
            orderer=self.process.addresses["ordering"],
            tls=self.tls,
        )

    def deploy(self, name: str, *, install: bool = True) -> None:
        """Install and instantiate what is connected, or about to be."""
        asyncio.run(self._deploy(name, install))

    async def _deploy(self, name: str, install: bool) -> None:
        package = build_legacy_package(
            name=name, version="1", language="golang", path=name, source=sources("go")
        )
        async with self.network() as network:
            await network.ensure_channel(CHANNEL)
            if install:
                await network.administration.install(package)
            self.served(name)
            deployment = Deployment(name=name, version="1", path=name, args=(b"init", b"a", b"7"))
            await network.channel(CHANNEL).instantiate(deployment)

    def served(self, name: str, *, within: float = 60) -> dict[str, Any]:
        """Its row in the registry, once a process serves it."""
        operations = self.process.addresses["operations"]
        return wait_for_runtime(operations, f"{name}:1", within=within)

    def ask(self, name: str, *args: str) -> Any:
        """What a query answers; raises EndorsementFailed."""
        return json.loads(asyncio.run(self._ask(name, args)))

    async def _ask(self, name: str, args: Sequence[str]) -> bytes:
        async with self.network() as network:
            return await network.channel(CHANNEL).evaluate(name, args)

    def until_version(self, name: str, version: str, *, within: float = 30) -> None:
        """Wait until the code with that version answers."""

        def answers() -> bool:
            try:
                answer: dict[str, str] = self.ask(name, "version")
            except EndorsementFailed:
                return False
            return answer["version"] == version

        wait_until(answers, within=within, what=f"{name} answering as version {version}")


def connecting(
    peer: str,
    name: str,
    *command: str,
    output: Path,
    options: Sequence[str] = (),
    folder: Path | None = None,
    user: str = "dana",
) -> Started:
    """``treadle dev connect`` of a *user*, without a terminal."""
    line = [*TREADLE, "dev", "connect", "--peer", peer, "--id", f"{name}:1", *options]
    environment = {key: text for key, text in os.environ.items() if not key.startswith("CORE_")}
    environment["LOGNAME"] = user
    return Started([*line, "--", *command], output=output, environment=environment, cwd=folder)


def example(language: str) -> tuple[Path, list[str]]:
    """A built example, and the command that starts it there."""
    return built(language), COMMANDS[language]


def child_of(process: Started) -> int:
    """The process id of the command that ``treadle dev connect`` runs."""
    file = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    found: list[str] = []

    def there() -> bool:
        assert process.running(), f"it ended:\n{process.text()}"
        found[:] = [pid for pid in file.read_text().split() if called(int(pid)) != "kubectl"]
        return len(found) == 1

    wait_until(there, within=60, what="the command running")
    return int(found[0])


def called(pid: int) -> str:
    """The name of a process, empty when it is gone."""
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except (FileNotFoundError, ProcessLookupError):
        return ""


def gone(pid: int) -> bool:
    """Whether there is no such process, or only what is left of it."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return True
    return state == "Z"
