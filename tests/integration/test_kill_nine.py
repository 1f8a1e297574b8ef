"""``kill -9`` of the peer under load: what was acknowledged stays, and everybody goes on.

``TREADLE_KILLS`` says how many the long test does (default 200).
"""

from __future__ import annotations

import asyncio
import os
import random
import shutil
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from harness.chains import ChainBook, verified
from harness.load import Load, unexpected
from harness.networks import Network, connected
from harness.peers import PeerProcess, lasting_addresses
from harness.runtimes import CHANNEL
from harness.shadow import ShadowLedger
from treadle_fabric.client import PeerAdministration

if TYPE_CHECKING:
    from .conftest import PeerFactory

KILLS = int(os.environ.get("TREADLE_KILLS", "200"))
SUBMITTERS = 4
PATIENCE = 60.0  # seconds until a client must have committed again
LONGEST_LOAD = 0.6  # seconds of load before a kill, at most
LONGEST_START = 1.5  # seconds into a start, at most
MONEY = "1000000"

pytestmark = pytest.mark.toolchain("go")


@dataclass(slots=True)
class Tally:
    """What one peer went through."""

    kills: int = 0
    starting: int = 0  # of them, while the peer started
    acknowledged: int = 0
    interrupted: int = 0
    blocks: int = 0
    restarts: list[float] = field(default_factory=list)


class Ordeal:
    """One peer that is killed again and again, and the checks after each kill."""

    def __init__(self, peer: PeerProcess, network: Network, load: Load, scratch: Path) -> None:
        self.tally = Tally()
        self._peer = peer
        self._network = network
        self._load = load
        self._crashed = scratch / "crashed"
        self._shadow = ShadowLedger(scratch / "shadow")
        self._book = ChainBook()

    async def kill_under_load(self, moments: random.Random) -> None:
        """Wait for commits, let a random time pass, kill, start, check."""
        await self._load.next_commit(within=PATIENCE)
        await asyncio.sleep(moments.uniform(0, LONGEST_LOAD))
        self._peer.kill()
        self.tally.kills += 1
        if moments.random() < 0.2:
            await self._kill_starting(moments)
        acknowledged = dict(self._load.acknowledged)
        await asyncio.to_thread(self._keep_crashed)
        checking = asyncio.to_thread(self._shadow.compare, self._crashed, CHANNEL)
        height, _ = await asyncio.gather(checking, self._start())
        await self._check(height, acknowledged)

    async def finish(self) -> None:
        """Check once more, stop in order, and check everything from the first block on."""
        await self._check(self._book.height, dict(self._load.acknowledged))
        assert await asyncio.to_thread(self._peer.stop) == 0
        self._shadow.close()
        await asyncio.to_thread(verified, self._peer.data)
        self.tally.acknowledged = self._load.valid
        self.tally.interrupted = self._load.interrupted.total()
        self.tally.blocks = self._book.height

    async def _kill_starting(self, moments: random.Random) -> None:
        self._peer.launch()
        await asyncio.sleep(moments.uniform(0, LONGEST_START))
        self._peer.kill()
        self.tally.starting += 1

    def _keep_crashed(self) -> None:
        shutil.rmtree(self._crashed, ignore_errors=True)
        for part in ("ledger", "ordering/blocks"):
            shutil.copytree(self._peer.data / part, self._crashed / part)

    async def _start(self) -> None:
        begun = time.monotonic()
        await asyncio.to_thread(self._peer.start)
        self.tally.restarts.append(time.monotonic() - begun)

    async def _check(self, crashed_height: int, acknowledged: dict[str, int]) -> None:
        await self._network.wait_ready()
        admin = PeerAdministration(peer=self._network.peer, signer=self._network.admin)
        info = await admin.chain_info(CHANNEL)
        assert info.height >= crashed_height
        await self._book.read_on(self._network.channel, height=info.height)
        missing = self._book.missing(acknowledged)
        assert not missing, f"acknowledged, but not on the chain: {missing}"


async def survive(peer: PeerProcess, *, kills: int, seed: int, scratch: Path) -> Tally:
    """Kill *peer* that often under load."""
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
        await ordeal.finish()
    return ordeal.tally


async def survive_together(
    make: PeerFactory, *, kills: int, peers: int, scratch: Path, say: Callable[[str], None]
) -> None:
    """Share *kills* out to *peers* that live at the same time; tell what was measured."""
    seed = random.SystemRandom().randrange(10**6)
    say(f"seed {seed}")
    begun = time.monotonic()
    runs = [
        survive(
            make(f"peer{number}", extra=lasting_addresses()),
            kills=(kills + number) // peers,
            seed=seed + number,
            scratch=scratch / f"scratch{number}",
        )
        for number in range(peers)
    ]
    tallies = await asyncio.gather(*runs)
    restarts = [seconds for tally in tallies for seconds in tally.restarts]
    say(
        f"{sum(each.kills for each in tallies)} kills under load, "
        f"{sum(each.starting for each in tallies)} more while starting, "
        f"in {time.monotonic() - begun:.0f} s; "
        f"{sum(each.acknowledged for each in tallies)} transactions acknowledged, 0 lost; "
        f"{sum(each.blocks for each in tallies)} blocks, 0 half; "
        f"{sum(each.interrupted for each in tallies)} requests interrupted; "
        f"start {statistics.median(restarts):.2f} s, at most {max(restarts):.2f} s"
    )


async def test_three_kills_lose_nothing(
    peer_process: PeerFactory, tmp_path: Path, say: Callable[[str], None]
) -> None:
    await survive_together(peer_process, kills=3, peers=1, scratch=tmp_path, say=say)


@pytest.mark.long
@pytest.mark.timeout(120 + 6 * KILLS)
async def test_many_kills_lose_nothing(
    peer_process: PeerFactory, tmp_path: Path, say: Callable[[str], None]
) -> None:
    await survive_together(peer_process, kills=KILLS, peers=2, scratch=tmp_path, say=say)
