"""Where launched chaincode is made and runs: on this machine, or in containers of an engine.

``PeerLauncher`` decides when; a workshop knows how.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Protocol

from treadle_peer.chaincode.launch.launches import Launch
from treadle_peer.execution import InstalledPackage, PackageStore


class Made(Protocol):
    """A finished build, ready to be started any number of times."""

    async def start(self, launch: Launch, address: str) -> None:
        """Start it towards the peer's *address* and set ``launch.program``.

        Returns when it runs (a server: when it was reached). Raises ExecutionError with Fabric's
        text; whatever had been started then is ended by ``launch.end``.
        """


class Workshop(Protocol):
    """Builds chaincode."""

    async def make(self, package: InstalledPackage) -> Made:
        """The build of *package*, made now unless it was made before.

        Raises BuildError, or ExecutionError when it could not be started anyway.
        """

    async def tidy(self, needed: Callable[[], Iterable[str]], packages: PackageStore) -> None:
        """Remove old builds that none of the ccids *needed* has."""

    async def close(self) -> None:
        """Let go of what the workshop itself holds. Idempotent."""
