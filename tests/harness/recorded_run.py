"""A real peer under real load, recorded: what it did to its disk, and what it promised to whom."""

from __future__ import annotations

import asyncio
import shutil
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from fabric_protos.common.common_pb2 import Block
from harness.chaincodes import built, start_by_hand
from harness.disk_calls import Call
from harness.disk_trace import TracedPeer
from harness.load import Load
from harness.networks import Network, connected
from harness.peers import Peers
from harness.promises import Committed, Delivered, Installed, Promise, Ready
from harness.runtimes import CHANNEL, wait_for_runtime
from treadle_cli.local.network import LocalNetwork
from treadle_fabric.client import CallFailed, DeliverStream, StreamClosed, seek_request
from treadle_fabric.wire import block_header_hash

SECOND_CHANNEL = "second"
CHAINCODE = "accounts"
_PATIENCE = 60.0


@dataclass(slots=True)
class RecordedRun:
    """All that was recorded; ``final`` is the data folder after the last, orderly end."""

    calls: list[Call]
    promises: list[Promise]
    final: Path


@dataclass(slots=True)
class _Witness:
    """Notes promises at the moment they were made."""

    promises: list[Promise] = field(default_factory=list)

    def block(self, channel: str, block: Block, *, ordered: bool) -> None:
        """Somebody has it."""
        header = block.header
        self.promises.append(
            Delivered(time.time_ns(), channel, header.number, block_header_hash(header), ordered)
        )


class _NotingLoad(Load):
    """Load whose acknowledgements are promises."""

    def __init__(self, network: Network, witness: _Witness, *, submitters: int) -> None:
        super().__init__(network, chaincode=CHAINCODE, submitters=submitters)
        self._witness = witness

    async def _note(self, tx_id: str, code: int) -> None:
        self._witness.promises.append(Committed(time.time_ns(), CHANNEL, tx_id, code))
        await super()._note(tx_id, code)


async def record(folder: Path, *, syncing: bool, commits: int, crashes: int) -> RecordedRun:
    """Run a peer: first start, package, channels, load; *crashes* times killed and started anew.

    Each of its runs ends after *commits* more commits were acknowledged.
    """
    made = Peers(folder)("peer0", mode="dev", start=False)
    peer = TracedPeer(folder=made.folder, environment=made.environment, arguments=made.arguments)
    peer.syncing = syncing
    witness = _Witness()
    try:
        for run in range(crashes + 1):
            await asyncio.to_thread(peer.start)
            witness.promises.append(Ready(time.time_ns()))
            await _session(peer, witness, commits=commits, first=run == 0)
            if run < crashes:
                peer.kill()
            else:
                assert await asyncio.to_thread(peer.stop) == 0, peer.process.text()
        calls = await asyncio.to_thread(peer.calls)
    finally:
        peer.end()
    final = shutil.copytree(peer.data, folder / "final")
    return RecordedRun(calls, witness.promises, final)


async def _session(peer: TracedPeer, witness: _Witness, *, commits: int, first: bool) -> None:
    chaincode = start_by_hand(
        "go",
        built("go"),
        ccid=f"{CHAINCODE}:1",
        address=peer.addresses["chaincode"],
        output=peer.folder / f"chaincode.{peer.starts}",
    )
    try:
        async with connected(peer) as network, _watched(network, witness):
            if first:
                await _prepare(peer, network, witness)
            await asyncio.to_thread(
                wait_for_runtime, peer.addresses["operations"], f"{CHAINCODE}:1"
            )
            if first:
                await network.instantiate(
                    CHAINCODE, "go", ["init", "alice", "10000", "bob", "10000"]
                )
            async with _NotingLoad(network, witness, submitters=4) as load:
                for _ in range(commits):
                    await load.next_commit(within=_PATIENCE)
    finally:
        chaincode.stop()


async def _prepare(peer: TracedPeer, network: Network, witness: _Witness) -> None:
    await network.install(CHAINCODE, "go")
    witness.promises.append(Installed(time.time_ns(), CHAINCODE, "1"))
    local = LocalNetwork.of_folder(
        peer.data / "client",
        msp_id="Org1MSP",
        peer=peer.addresses["peer"],
        orderer=peer.addresses["ordering"],
    )
    async with local:
        await local.ensure_channel(SECOND_CHANNEL)
        async for block in local.channel(SECOND_CHANNEL).blocks(start=0, stop=0, within=_PATIENCE):
            witness.block(SECOND_CHANNEL, block, ordered=False)


@asynccontextmanager
async def _watched(network: Network, witness: _Witness) -> AsyncIterator[None]:
    """Two readers who take every block as soon as they can have it."""
    tasks = [
        asyncio.create_task(_read(network.peer.deliver(), network, witness, ordered=False)),
        asyncio.create_task(_read(network.orderer.deliver(), network, witness, ordered=True)),
    ]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        for outcome in await asyncio.gather(*tasks, return_exceptions=True):
            assert isinstance(outcome, asyncio.CancelledError | CallFailed | StreamClosed), outcome


async def _read(
    stream: DeliverStream[Block], network: Network, witness: _Witness, *, ordered: bool
) -> None:
    async with stream:
        request = seek_request(signer=network.admin, channel_id=CHANNEL, start=0)
        await stream.seek(request, within=_PATIENCE)
        async for block in stream.items(within=None):
            witness.block(CHANNEL, block, ordered=ordered)
