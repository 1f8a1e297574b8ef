"""The two peers that are handed any block: a real Fabric 2.5.9 peer, and our committer."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Protocol

import yaml
from fabric_protos.common.common_pb2 import Block
from fabric_protos.peer.proposal_pb2 import SignedProposal
from fabric_protos.peer.proposal_response_pb2 import ProposalResponse
from grpc.aio import AioRpcError
from harness.differential.blocks_crafting import ORDERER_ADDRESS, package
from harness.differential.drafts import Draft
from harness.differential.links import Links
from harness.differential.material import FixedConsortium
from harness.onepeer import Consortium, OnePeer
from harness.operations import InProcess, over_stream
from harness.processes import wait_until
from harness.real_peer import PlayedOrderer, RealPeer, Shim, free_port
from treadle_peer.commit import BlockRefused, ValidationHalted
from treadle_peer.endorse import ProposalRefused

INSTALLED = ("probe:1", "probe:2", "other:1")
"""Chaincodes of harness.operations that run at both peers."""

COMMIT_SECONDS = 30


class CallFailed(Exception):
    """The endorser failed the call itself; the text is its sentence."""


class BlocksTarget(Protocol):
    """One peer of Org1 that takes blocks from a script."""

    texts: dict[str, str]

    async def start(self) -> None: ...

    async def stop(self) -> None: ...

    async def process(self, signed: SignedProposal) -> ProposalResponse:
        """The endorser's answer; raises CallFailed."""
        ...

    async def deliver(self, channel: str, block: Block) -> Block | None:
        """The block as committed; None when the peer stays without it and wants another."""
        ...

    async def halts(self, channel: str, block: Block) -> bool:
        """Hand over a block after which the channel takes no more; whether it says so."""
        ...


class RealBlocks:
    """Fabric's own peer in development mode, and an orderer played by the script."""

    def __init__(self, folder: Path, binaries: Path) -> None:
        self._orderer = PlayedOrderer(free_port())
        self._cast = FixedConsortium()
        self._cast.org1.write_msp(folder / "msp", self._cast.peer.identity)
        self._peer = RealPeer(
            binary=binaries / "peer",
            config=_configuration(folder / "config", binaries, self._orderer.address),
            msp=folder / "msp",
            msp_id="Org1MSP",
            folder=folder / "real",
        )
        self.name = "real"
        self.peer_address = self.orderer_address = self._peer.address
        self.chaincode_address = self._peer.chaincode_address
        self.texts = {
            str(folder / "real" / "production"): "<data folder>",
            self.peer_address: "<peer address>",
        }
        self._links: Links | None = None
        self._shims: list[Shim] = []
        self._turn = asyncio.Lock()

    async def start(self) -> None:
        await self._orderer.start()
        await self._peer.start()
        self._links = Links.to(self)  # type: ignore[arg-type]
        for ccid in INSTALLED:
            shim = Shim(self.chaincode_address, ccid, over_stream)
            await shim.start()
            self._shims.append(shim)
        await _install(self._cast, self.process)

    async def stop(self) -> None:
        for shim in self._shims:
            await shim.stop()
        if self._links is not None:
            await self._links.__aexit__(None, None, None)
        await self._peer.stop()
        await self._orderer.stop()

    async def process(self, signed: SignedProposal) -> ProposalResponse:
        async with self._turn:  # a played chaincode serves one transaction at a time
            try:
                return await self._peer.process_proposal(signed)
            except AioRpcError as error:
                raise CallFailed(error.details() or error.code().name) from error

    async def deliver(self, channel: str, block: Block) -> Block | None:
        assert self._links is not None
        committed = asyncio.ensure_future(
            self._links.committed(self._cast.admin, channel, block.header.number)
        )
        refused = asyncio.ensure_future(self._orderer.refused(block, channel))
        tasks = (committed, refused)
        try:
            async with asyncio.timeout(COMMIT_SECONDS):
                await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            if refused.done():
                return None
            # A peer that hangs up while it commits (a new configuration) asks for it once more.
            self._orderer.add(block, channel)
            return await committed
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def halts(self, channel: str, block: Block) -> bool:
        self._orderer.add(block, channel)

        def said() -> bool:
            return "Aborting chain processing" in self._peer.process.text()

        await asyncio.to_thread(wait_until, said, within=COMMIT_SECONDS, what="the end of a chain")
        return said()


class OurBlocks:
    """Our endorser and committer without network."""

    def __init__(self, folder: Path) -> None:
        self._cast = FixedConsortium()
        self._peer = OnePeer(folder, _Identities(self._cast))
        self.texts = {str(folder): "<data folder>"}
        for name in ("probe", "other"):
            self._peer.executor.scripts[name] = InProcess(self._peer.executor)

    async def start(self) -> None:
        await _install(self._cast, self.process)

    async def stop(self) -> None:
        self._peer.close()

    async def process(self, signed: SignedProposal) -> ProposalResponse:
        try:
            return await self._peer.process(signed)
        except ProposalRefused as error:
            raise CallFailed(str(error)) from error

    async def deliver(self, channel: str, block: Block) -> Block | None:
        given = Block()
        given.CopyFrom(block)
        try:
            await self._peer.committer(channel).deliver(given)
        except BlockRefused:
            return None
        return self._peer.channel(channel).ledger.block(block.header.number)

    async def halts(self, channel: str, block: Block) -> bool:
        try:
            await self._peer.committer(channel).deliver(block)
        except ValidationHalted:
            return True
        return False


class _Identities(Consortium):
    """The fixed identities as harness.onepeer takes them."""

    def __init__(self, cast: FixedConsortium) -> None:
        self.org1, self.org2, self.orderer_org = cast.org1, cast.org2, cast.orderer_org
        for name in ("peer", "admin", "client", "peer2", "client2", "admin2", "orderer"):
            setattr(self, name, getattr(cast, name).identity)


def _configuration(folder: Path, binaries: Path, orderer: str) -> Path:
    """Fabric's sample configuration, but orderers are found where the played one listens."""
    shutil.copytree(binaries.parent / "sampleconfig", folder)
    content = yaml.safe_load((folder / "core.yaml").read_text())
    override = {"from": ORDERER_ADDRESS, "to": orderer, "caCertsFile": ""}
    content["peer"]["deliveryclient"]["addressOverrides"] = [override]
    (folder / "core.yaml").write_text(yaml.safe_dump(content))
    return folder


async def _install(
    cast: FixedConsortium, process: Callable[[SignedProposal], Awaitable[ProposalResponse]]
) -> None:
    # The real peer keeps the package, then misses Docker; what counts is that it has it.
    for ccid in INSTALLED:
        args = [b"install", package(*ccid.split(":"))]
        draft = Draft(
            seed=f"install {ccid}", signer=cast.admin, channel_id="", chaincode="lscc", args=args
        )
        await process(draft.build().signed)
