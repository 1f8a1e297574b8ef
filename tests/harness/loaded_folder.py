"""The data folder of a peer that was killed under load, to be damaged and started again."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from harness.chaincodes import built, start_by_hand
from harness.chains import ChainBook
from harness.load import Load
from harness.networks import Network, connected
from harness.peers import PeerProcess
from harness.runtimes import wait_for_runtime

CCID = "accounts:1"


@dataclass(frozen=True, slots=True)
class LoadedFolder:
    """``data`` as ``kill -9`` left it, and the transactions that clients were told of."""

    data: Path
    acknowledged: dict[str, int]

    def copy_to(self, peer: PeerProcess) -> PeerProcess:
        """Make it the data folder of *peer*, which was not started yet."""
        shutil.copytree(self.data, peer.data, ignore=shutil.ignore_patterns("run"))
        return peer


@asynccontextmanager
async def accounts(peer: PeerProcess, *, seconds: float = 120.0) -> AsyncIterator[Network]:
    """The network of a development peer whose chaincode runs; *seconds* bounds each call."""
    output = peer.folder / f"chaincode.{peer.starts}"
    address = peer.addresses["chaincode"]
    process = start_by_hand("go", built("go"), ccid=CCID, address=address, output=output)
    try:
        async with connected(peer, seconds=seconds) as network:
            yield network
    finally:
        process.stop()


async def deploy(peer: PeerProcess, network: Network) -> None:
    """Install and instantiate it."""
    await network.install("accounts", "go")
    await asyncio.to_thread(wait_for_runtime, peer.addresses["operations"], CCID)
    await network.instantiate("accounts", "go", ["init", "alice", "10000", "bob", "10000"])


async def commits(load: Load, number: int) -> None:
    """Wait for so many moments at which something was committed."""
    for _ in range(number):
        await load.next_commit(within=60)


async def loaded_folder(peer: PeerProcess, *, number: int) -> LoadedFolder:
    """Load the new development peer *peer*, then kill it."""
    async with accounts(peer) as network:
        await deploy(peer, network)
        async with Load(network, chaincode="accounts", submitters=4) as load:
            await commits(load, number)
        peer.kill()
        return LoadedFolder(peer.data, dict(load.acknowledged))


async def goes_on(peer: PeerProcess, acknowledged: dict[str, int]) -> None:
    """What was acknowledged is on the running peer's chain, and more can be committed."""
    async with accounts(peer) as network:
        await asyncio.to_thread(wait_for_runtime, peer.addresses["operations"], CCID)
        async with Load(network, chaincode="accounts", submitters=2) as load:
            await commits(load, 3)
        newest = await network.channel.block("newest")
        book = ChainBook()
        await book.read_on(network.channel, height=newest.header.number + 1)
        assert book.missing(acknowledged | load.acknowledged) == {}
