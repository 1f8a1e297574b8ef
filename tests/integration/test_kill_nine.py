"""``kill -9`` of the peer under load: what was acknowledged stays, and everybody goes on."""

from __future__ import annotations

import asyncio
import random
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from harness.chains import ChainBook, copy_of_ledger, verified
from harness.load import VALID, Load, unexpected
from harness.networks import Network, connected
from harness.peers import PeerProcess, lasting_addresses
from harness.runtimes import CHANNEL
from treadle_fabric.client import PeerAdministration

if TYPE_CHECKING:
    from .conftest import PeerFactory

SUBMITTERS = 4
PATIENCE = 60.0  # seconds until a client must have committed again
LONGEST_LOAD = 1.2  # seconds of load before a kill, at most
LONGEST_START = 2.5  # seconds into a start, at most
MONEY = "1000000"

pytestmark = pytest.mark.toolchain("go")


class Ordeal:
    """One peer that is killed again and again, and the checks after each restart."""

    def __init__(self, peer: PeerProcess, network: Network, load: Load, scratch: Path) -> None:
        self.restarts: list[float] = []
        self.killed_starting = 0
        self._peer = peer
        self._network = network
        self._load = load
        self._scratch = scratch
        self._book = ChainBook()

    async def kill_under_load(self, moments: random.Random) -> None:
        """Wait for commits, let a random time pass, kill, start, check."""
        await self._load.next_commit(within=PATIENCE)
        await asyncio.sleep(moments.uniform(0, LONGEST_LOAD))
        self._peer.kill()
        if moments.random() < 0.2:
            await self._kill_starting(moments)
        crashed = copy_of_ledger(self._peer.data, self._scratch / "crashed")
        acknowledged = dict(self._load.acknowledged)
        report, _ = await asyncio.gather(asyncio.to_thread(verified, crashed), self._start())
        await self._check(report["height"], acknowledged)

    async def finish(self) -> int:
        """Stop in order and check once more, from the first block on; the number of blocks."""
        assert await asyncio.to_thread(self._peer.stop) == 0
        verified(self._peer.data)
        return self._book.height

    async def _kill_starting(self, moments: random.Random) -> None:
        self._peer.launch()
        await asyncio.sleep(moments.uniform(0, LONGEST_START))
        self._peer.kill()
        self.killed_starting += 1

    async def _start(self) -> None:
        begun = time.monotonic()
        await asyncio.to_thread(self._peer.start)
        self.restarts.append(time.monotonic() - begun)

    async def _check(self, crashed_height: int, acknowledged: dict[str, int]) -> None:
        await self._network.wait_ready()
        admin = PeerAdministration(peer=self._network.peer, signer=self._network.admin)
        info = await admin.chain_info(CHANNEL)
        assert info.height >= crashed_height
        await self._book.read_on(self._network.channel, height=info.height)
        missing = self._book.missing(acknowledged)
        assert not missing, f"acknowledged, but not on the chain: {missing}"


async def survive(peer: PeerProcess, *, kills: int, seed: int, scratch: Path) -> str:
    """Kill *peer* that often under load; what was measured, in one line."""
    moments = random.Random(seed)
    async with connected(peer) as network:
        await network.install("accounts", "go")
        await network.instantiate("accounts", "go", ["init", "alice", MONEY, "bob", MONEY])
        async with Load(network, chaincode="accounts", submitters=SUBMITTERS) as load:
            ordeal = Ordeal(peer, network, load, scratch)
            for _ in range(kills):
                await ordeal.kill_under_load(moments)
            await load.next_commit(within=PATIENCE)
        assert not unexpected(load), load.interrupted
        blocks = await ordeal.finish()
    invalid = sum(1 for code in load.acknowledged.values() if code != VALID)
    return (
        f"seed {seed}: {kills} kills under load, {ordeal.killed_starting} while starting; "
        f"{load.valid} transactions acknowledged, {invalid} as invalid, "
        f"{load.interrupted.total()} interrupted; {blocks} blocks; start "
        f"{statistics.median(ordeal.restarts):.2f} s, at most {max(ordeal.restarts):.2f} s"
    )


async def test_three_kills_lose_nothing(
    peer_process: PeerFactory, tmp_path: Path, say: Callable[[str], None]
) -> None:
    peer = peer_process(extra=lasting_addresses())
    say(await survive(peer, kills=3, seed=random.SystemRandom().randrange(10**6), scratch=tmp_path))


@pytest.mark.long
@pytest.mark.timeout(900)
async def test_fifty_kills_lose_nothing(
    peer_process: PeerFactory, tmp_path: Path, say: Callable[[str], None]
) -> None:
    peer = peer_process(extra=lasting_addresses())
    seed = random.SystemRandom().randrange(10**6)
    say(f"seed {seed}")
    say(await survive(peer, kills=50, seed=seed, scratch=tmp_path))
