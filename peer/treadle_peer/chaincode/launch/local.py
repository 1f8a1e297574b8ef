"""The launcher ``process``: toolchains and processes of this machine."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from treadle_peer.chaincode.authority import ChaincodeAuthority
from treadle_peer.chaincode.launch.bridging import BridgeStarter
from treadle_peer.chaincode.launch.builders import Builder, default_builders
from treadle_peer.chaincode.launch.builds import Build, Builds
from treadle_peer.chaincode.launch.launcher import PeerLauncher
from treadle_peer.chaincode.launch.launches import Exit, Launch
from treadle_peer.chaincode.launch.records import LaunchRecords
from treadle_peer.chaincode.launch.settings import LaunchSettings
from treadle_peer.chaincode.launch.starting import Starter
from treadle_peer.execution import InstalledPackage, PackageStore


class LocalWorkshop:
    """Implements Workshop."""

    def __init__(
        self,
        *,
        settings: LaunchSettings,
        authority: ChaincodeAuthority,
        bridges: BridgeStarter,
        environment: Mapping[str, str],
        builders: Mapping[str, Builder],
    ) -> None:
        """Kill what an earlier run of this peer left running; may block for seconds in that.

        *environment* is the peer's own.
        """
        records = LaunchRecords(settings.folder / "running")
        records.reap()
        shutil.rmtree(settings.folder / "launches", ignore_errors=True)
        self._builds = Builds(
            folder=settings.folder / "builds",
            builders=builders,
            records=records,
            timeout=settings.build_timeout,
            environment=environment,
        )
        self._starter = Starter(
            settings=settings,
            authority=authority,
            records=records,
            bridges=bridges,
            environment=environment,
        )

    async def make(self, package: InstalledPackage) -> LocalBuild:
        """See Workshop."""
        return LocalBuild(build=await self._builds.obtain(package), starter=self._starter)

    async def tidy(self, needed: Callable[[], Iterable[str]], packages: PackageStore) -> None:
        """See Workshop."""
        await self._builds.shelf.tidy(needed, packages)

    async def close(self) -> None:
        """See Workshop."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalBuild:
    """Implements Made."""

    build: Build
    starter: Starter

    async def start(self, launch: Launch, address: str) -> None:
        """See Made."""
        await self.starter.run(launch, self.build.start(address))


class ProcessLauncher(PeerLauncher):
    """Launches production chaincode as processes of this machine."""

    def __init__(
        self,
        *,
        settings: LaunchSettings,
        packages: PackageStore,
        authority: ChaincodeAuthority,
        bridges: BridgeStarter,
        endpoint: Callable[[], str],
        needed: Callable[[], Iterable[str]],
        on_exit: Callable[[Exit], None],
        environment: Mapping[str, str] | None = None,
        builders: Mapping[str, Builder] | None = None,
    ) -> None:
        """See PeerLauncher. *environment* is the peer's own."""
        own = dict(os.environ if environment is None else environment)

        def workshop() -> LocalWorkshop:
            return LocalWorkshop(
                settings=settings,
                authority=authority,
                bridges=bridges,
                environment=own,
                builders=default_builders() if builders is None else builders,
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
