"""A peer of our own as a child process, on free loopback ports."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from treadle_cli.errors import TreadleError
from treadle_cli.local.children import Child, last_lines

_POLL_SECONDS = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalPeer:
    """A running peer: its addresses (``host:port``) and its data folder."""

    child: Child
    folder: Path
    address: str
    chaincode_address: str
    ordering_address: str
    operations_address: str

    @classmethod
    async def start(
        cls,
        folder: Path,
        *,
        log: Path,
        development: bool = False,
        settings: Mapping[str, str] | None = None,
        within: float = 60.0,
    ) -> LocalPeer:
        """Start ``peer node start`` on the data folder *folder* and wait until it is ready.

        *settings* are further ``CORE_*`` variables. Raises TreadleError with the peer's last words.
        """
        arguments = ["--peer-chaincodedev"] if development else []
        ready = _prepare(folder)
        child = await Child.start(
            [sys.executable, "-m", "treadle_cli.peer_command", "node", "start", *arguments],
            name="the peer",
            log=log,
            environment=clean_environment() | _listeners(folder) | dict(settings or {}),
            folder=folder,
        )
        try:
            addresses = await _addresses(child, ready, within=within)
        except BaseException:
            await child.stop()
            raise
        return cls(
            child=child,
            folder=folder,
            address=addresses["peer"],
            chaincode_address=addresses["chaincode"],
            ordering_address=addresses["ordering"],
            operations_address=addresses["operations"],
        )

    @property
    def client_folder(self) -> Path:
        """The generated network's files for clients: core.yaml, the admin's ``msp``."""
        return self.folder / "client"


def clean_environment() -> dict[str, str]:
    """This environment without settings of other peers: what we start must not follow them."""
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("CORE_") and name != "FABRIC_CFG_PATH"
    }


def _listeners(folder: Path) -> dict[str, str]:
    return {
        "CORE_PEER_FILESYSTEMPATH": str(folder),
        "CORE_PEER_LISTENADDRESS": "127.0.0.1:0",
        "CORE_PEER_ADDRESS": "127.0.0.1:0",
        "CORE_PEER_CHAINCODELISTENADDRESS": "127.0.0.1:0",
        "CORE_OPERATIONS_LISTENADDRESS": "127.0.0.1:0",
        "CORE_TREADLE_ORDERING_LISTENADDRESS": "127.0.0.1:0",
    }


async def _addresses(child: Child, file: Path, *, within: float) -> dict[str, str]:
    try:
        async with asyncio.timeout(within):
            while True:
                child.check()
                if (addresses := _read(file)) is not None:
                    return addresses
                await asyncio.sleep(_POLL_SECONDS)
    except TimeoutError:
        raise TreadleError(
            f"the peer was not ready within {within:g} s", last_lines(child.log)
        ) from None


def _prepare(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    ready = folder / "run" / "addresses.json"
    ready.unlink(missing_ok=True)
    return ready


def _read(file: Path) -> dict[str, str] | None:
    if not file.exists():
        return None
    addresses: dict[str, str] = json.loads(file.read_text(encoding="utf-8"))
    return addresses
