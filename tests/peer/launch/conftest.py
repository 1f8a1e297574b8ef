"""A launcher with everything around it: packages, certificates, a port that greets."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from harness.greeting_port import ChaincodePort, Connection, Dialler
from treadle_fabric.packages import build_legacy_package
from treadle_peer.chaincode.authority import ChaincodeAuthority
from treadle_peer.chaincode.launch import Builder, Exit, LaunchSettings, ProcessLauncher
from treadle_peer.chaincode.packages import FilePackageStore

EXAMPLES = Path(__file__).parents[3] / "examples" / "chaincode"
DEADLINE = 60.0


@dataclass
class Bench:
    """A launcher with everything around it."""

    port: ChaincodePort
    packages: FilePackageStore
    authority: ChaincodeAuthority
    launcher: ProcessLauncher
    exits: asyncio.Queue[Exit]
    folder: Path
    defined: set[str]
    """The ccids that channels define."""

    def install(self, source: Path, *, language: str, version: str = "1", path: str = "x") -> str:
        """Package and install a folder; its ccid."""
        raw = build_legacy_package(
            name="accounts", version=version, language=language, path=path, source=source
        )
        return self.packages.install(raw).ccid

    async def launch(self, ccid: str) -> Connection:
        """Launch and wait for the registration."""
        await self.launcher.launch(ccid)
        return await self.port.connected(ccid)

    async def exit(self) -> Exit:
        """The next process that ends by itself."""
        async with asyncio.timeout(DEADLINE):
            return await self.exits.get()


MakeBench = Callable[..., Awaitable[Bench]]


@pytest.fixture
async def make_bench(tmp_path: Path) -> AsyncIterator[MakeBench]:
    """Builds benches; all are closed at the end, and nothing of theirs is left running."""
    async with contextlib.AsyncExitStack() as stack:

        async def make(
            *,
            tls: bool = True,
            folder: Path = tmp_path,
            builders: Mapping[str, Builder] | None = None,
            **settings: Any,
        ) -> Bench:
            authority = ChaincodeAuthority.open(folder / "authority")
            packages = FilePackageStore(folder / "chaincodes")
            port, exits, defined = ChaincodePort(), asyncio.Queue[Exit](), set[str]()
            await port.listen(authority if tls else None)
            stack.push_async_callback(port.close)
            launcher = ProcessLauncher(
                settings=LaunchSettings(
                    folder=folder / "launcher", msp_id="Org1MSP", tls=tls, **settings
                ),
                packages=packages,
                authority=authority,
                bridges=Dialler(port),
                endpoint=lambda: port.address,
                needed=lambda: defined,
                on_exit=exits.put_nowait,
                builders=builders,
            )
            stack.push_async_callback(launcher.close)
            port.admit = launcher.admit
            return Bench(port, packages, authority, launcher, exits, folder, defined)

        yield make


@pytest.fixture
async def bench(make_bench: MakeBench) -> Bench:
    """A bench with TLS on the chaincode port."""
    return await make_bench()


@pytest.fixture
def examples() -> Path:
    """The example contracts, one folder per language."""
    return EXAMPLES
