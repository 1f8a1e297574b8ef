"""One honest client in a closed loop, whose latency tells how the peer treats everybody else."""

from __future__ import annotations

import itertools
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from harness.chaincodes import sources
from harness.peers import PeerProcess
from harness.runtimes import CHANNEL
from treadle_cli.local.network import LocalNetwork
from treadle_fabric.client import Channel, Deployment
from treadle_fabric.packages import build_legacy_package

HONEST = "honest"
_FILLING = 5  # megabytes per transaction


class HonestClient:
    """Writes a key per transaction. *diary*, if given, always names the transaction under way."""

    def __init__(self, channel: Channel, *, chaincode: str = HONEST) -> None:
        self._channel = channel
        self._chaincode = chaincode
        self._numbers = itertools.count()
        self.diary: Path | None = None

    async def commit(self) -> float:
        """Endorse, order, and see it committed as valid; how many seconds that took."""
        proposal = self._channel.propose(
            self._chaincode, ["set", f"key{next(self._numbers) % 100:03d}", "value"]
        )
        if self.diary is not None:
            self.diary.write_text(proposal.tx_id)
        begun = time.perf_counter()
        await self._channel.submit(await self._channel.endorse(proposal))
        return time.perf_counter() - begun

    async def commits(self, count: int, *, seconds: float = 60.0) -> list[float]:
        """The seconds of *count* transactions one after the other, or of as many as fit."""
        end = time.perf_counter() + seconds
        taken: list[float] = []
        while len(taken) < count and time.perf_counter() < end:
            taken.append(await self.commit())
        return taken

    async def fill(self, megabytes: int) -> None:
        """Put so much into blocks."""
        for number in range(-(-megabytes // _FILLING)):
            arguments = ["blob", f"large{number}", str(_FILLING * 1_000_000)]
            await self._channel.invoke(self._chaincode, arguments)


@asynccontextmanager
async def administered(peer: PeerProcess, *, tls: bool = False) -> AsyncIterator[LocalNetwork]:
    """The network of a peer, as its administrator has it."""
    network = LocalNetwork.of_folder(
        peer.data / "client",
        msp_id="Org1MSP",
        peer=peer.addresses["peer"],
        orderer=peer.addresses["ordering"],
        tls=tls,
    )
    async with network:
        yield network


async def deploy_once(network: LocalNetwork, name: str, *, channel: str = CHANNEL) -> Channel:
    """Install and instantiate *name*, version 1, unless that was done; its process connects."""
    administration = network.administration
    if name not in {one.name for one in await administration.installed()}:
        package = build_legacy_package(
            name=name, version="1", language="golang", path=name, source=sources("go")
        )
        await administration.install(package)
    if name not in {one.name for one in await administration.instantiated(channel)}:
        deployment = Deployment(name=name, version="1", path=name, args=(b"init",))
        await network.channel(channel).instantiate(deployment)
    return network.channel(channel)
