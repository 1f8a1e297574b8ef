"""A production peer whose chaincodes run in containers of an engine."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from harness.engine import ContainerEngine
from harness.production import Production


def docker_settings(engine: ContainerEngine) -> dict[str, str]:
    """What a peer is told to launch in containers of *engine*."""
    return {"CORE_TREADLE_CHAINCODE_LAUNCHER": "docker", "CORE_VM_ENDPOINT": engine.endpoint}


@dataclass(kw_only=True)
class Contained(Production):
    """A production peer, and the engine where its chaincodes run."""

    engine: ContainerEngine

    def containers(self, ccid: str) -> list[str]:
        """The ids of the running containers of *ccid*."""
        found = self.engine.containers(f"label=dev.treadle.ccid={ccid}", "status=running")
        return [each["ID"] for each in found]

    def inspect(self, ccid: str) -> dict[str, Any]:
        """What the engine knows of the one container of *ccid*."""
        (container,) = self.containers(ccid)
        return dict(self.engine.inspect(container))
