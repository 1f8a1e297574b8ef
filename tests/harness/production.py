"""A peer in production mode with what its administrator does: install, deploy, look."""

from __future__ import annotations

import dataclasses
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness.chaincodes import PEER_LANGUAGE, copy_sources, edit_version
from harness.fabric_cli import FabricCli
from harness.peers import PeerProcess
from harness.runtimes import CHANNEL, runtimes

INIT = ("init", "alice", "100", "bob", "20")


@dataclass(kw_only=True)
class Production:
    """One production peer. ``make_cli`` is asked anew each time: a restart changes the ports."""

    peer: PeerProcess
    make_cli: Callable[[PeerProcess], FabricCli]
    deployed: set[str] = field(default_factory=set)

    def cli(self, language: str = "go") -> FabricCli:
        """The real command line; our own for Python, which the real one does not know."""
        cli = self.make_cli(self.peer)
        if language != "python":
            return cli
        return dataclasses.replace(cli, binary=Path(sys.executable).parent / "peer")

    def source(self, name: str, language: str, *, version: str = "1") -> Path:
        """An own copy of the example; its ``version`` answers *version*."""
        folder = copy_sources(language, self.peer.folder / "sources" / f"{name}-{version}")
        if version != "1":
            edit_version(folder, language, version)
        return folder

    def install(self, name: str, language: str, folder: Path, *, version: str = "1") -> None:
        """``peer chaincode install``."""
        cli = self.cli(language)
        cli.install(name, version, str(folder), language=PEER_LANGUAGE[language], cwd=folder)

    def deploy(self, language: str, *, name: str | None = None, own_build: bool = False) -> str:
        """Install and instantiate the example unless that was done; its chaincode name.

        Without *own_build* it may share the finished build of equal code.
        """
        name = name or f"accounts-{language}"
        if name not in self.deployed:
            folder = self.source(name, language)
            if own_build:
                (folder / "NAME").write_text(name)
            self.install(name, language, folder)
            kind = PEER_LANGUAGE[language]
            self.cli(language).instantiate(name, "1", *INIT, channel=CHANNEL, language=kind)
            self.deployed.add(name)
        return name

    def ask(self, name: str, *arguments: str, channel: str = CHANNEL) -> Any:
        """``peer chaincode query``, its JSON."""
        return json.loads(self.cli().query(name, *arguments, channel=channel))

    def row(self, ccid: str) -> dict[str, Any]:
        """The one line of ``/runtimes`` about *ccid*."""
        (row,) = [one for one in runtimes(self.peer.addresses["operations"]) if one["ccid"] == ccid]
        return row

    def logged(self, text: str) -> int:
        """How often the running peer has logged *text*."""
        return self.peer.process.text().count(text)
