"""The launcher ``docker``: chaincode is built and runs in containers of an engine.

All containers of a peer carry a label with the identity of its launcher's folder: what a killed
peer left is found by it, and removed at the next start.
"""

from __future__ import annotations

import asyncio
import logging
import os
import secrets
import shutil
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Final

from treadle_fabric.identity.files import write_private

from treadle_peer.chaincode.authority import ChaincodeAuthority
from treadle_peer.chaincode.launch.bridging import BridgeStarter
from treadle_peer.chaincode.launch.builders import BuildError
from treadle_peer.chaincode.launch.containers.building import ContainerBuilds
from treadle_peer.chaincode.launch.containers.calling import call
from treadle_peer.chaincode.launch.containers.engine import Engine, EngineError
from treadle_peer.chaincode.launch.containers.starting import ContainerStarter, StartableBuild
from treadle_peer.chaincode.launch.launcher import PeerLauncher
from treadle_peer.chaincode.launch.launches import Exit
from treadle_peer.chaincode.launch.settings import LaunchSettings
from treadle_peer.config import ContainersConfig
from treadle_peer.execution import InstalledPackage, PackageStore

_LOG = logging.getLogger(__name__)
LABEL: Final = "dev.treadle.launcher"
"""On every container, with an identity that the launcher's folder keeps."""


class ContainerWorkshop:
    """Implements Workshop."""

    def __init__(
        self,
        *,
        settings: LaunchSettings,
        containers: ContainersConfig,
        bridges: BridgeStarter,
        environment: Mapping[str, str],
    ) -> None:
        """Remove what an earlier run of this peer left; may block for seconds in that.

        *environment* is the peer's own. An engine that does not answer now may do so later: this
        is tried again before the first launch. Raises EngineMissingError.
        """
        self._engine = Engine(containers)
        self._clean = False
        self._lock = asyncio.Lock()
        identity = _identity(settings.folder / "identity")
        self._label = f"{LABEL}={identity}"
        shutil.rmtree(settings.folder / "launches", ignore_errors=True)
        try:
            self._remove_left()
        except EngineError as error:
            _LOG.warning("%s; production chaincode cannot be launched until it does", error)
        labels = {LABEL: identity}
        self._builds = ContainerBuilds(
            folder=settings.folder / "containers",
            engine=self._engine,
            settings=containers,
            labels=labels,
            timeout=settings.build_timeout,
            environment=environment,
        )
        self._starter = ContainerStarter(
            settings=settings,
            containers=containers,
            engine=self._engine,
            bridges=bridges,
            labels=labels,
        )

    async def make(self, package: InstalledPackage) -> StartableBuild:
        """See Workshop. Raises ExecutionError, too: without an image to run, nothing is built."""
        async with self._lock:
            if not self._clean:
                try:
                    await call(self._remove_left)
                except EngineError as error:
                    raise BuildError(str(error)) from error
        build = await self._builds.obtain(package, before=self._starter.image)
        return StartableBuild(build=build, starter=self._starter)

    async def tidy(self, needed: Callable[[], Iterable[str]], packages: PackageStore) -> None:
        """See Workshop."""
        await self._builds.shelf.tidy(needed, packages)

    async def close(self) -> None:
        """See Workshop."""
        await call(self._engine.close)

    def _remove_left(self) -> None:
        """Remove every container with this launcher's label. Raises EngineError."""
        for container in self._engine.labelled(self._label):
            _LOG.warning("Removing container %s, left by an earlier run", container[:12])
            self._engine.remove(container)
        self._clean = True


class ContainerLauncher(PeerLauncher):
    """Launches production chaincode in containers."""

    def __init__(
        self,
        *,
        settings: LaunchSettings,
        containers: ContainersConfig,
        packages: PackageStore,
        authority: ChaincodeAuthority,
        bridges: BridgeStarter,
        endpoint: Callable[[], str],
        needed: Callable[[], Iterable[str]],
        on_exit: Callable[[Exit], None],
        environment: Mapping[str, str] | None = None,
    ) -> None:
        """See PeerLauncher. *environment* is the peer's own. Raises EngineMissingError."""
        own = dict(os.environ if environment is None else environment)

        def workshop() -> ContainerWorkshop:
            return ContainerWorkshop(
                settings=settings, containers=containers, bridges=bridges, environment=own
            )

        super().__init__(
            settings=settings,
            packages=packages,
            authority=authority,
            workshop=workshop,
            endpoint=endpoint,
            needed=needed,
            on_exit=on_exit,
        )


def _identity(file: Path) -> str:
    """Names the launcher's folder, wherever it is moved to."""
    if not file.exists():
        write_private(file, secrets.token_hex(16).encode())
    return file.read_text(encoding="ascii")
