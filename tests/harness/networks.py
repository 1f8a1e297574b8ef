"""A peer process seen by its admin, through our own client."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from harness.chaincodes import PEER_LANGUAGE, sources
from harness.peers import PeerProcess
from harness.runtimes import CHANNEL
from treadle_fabric.client import (
    Channel,
    Deadlines,
    Deployment,
    Endpoint,
    OrdererConnection,
    PeerAdministration,
    PeerConnection,
)
from treadle_fabric.identity import Signer
from treadle_fabric.msp import load_local_msp
from treadle_fabric.packages import build_legacy_package, language_number

READY_SECONDS = 60.0


@dataclass(frozen=True, kw_only=True)
class Network:
    """One peer and its ordering; the connections outlive restarts of the peer."""

    admin: Signer
    peer: PeerConnection
    orderer: OrdererConnection
    channel: Channel

    async def wait_ready(self) -> None:
        """Until both are connected."""
        await self.peer.wait_ready(within=READY_SECONDS)
        await self.orderer.wait_ready(within=READY_SECONDS)

    async def install(
        self, name: str, language: str, version: str = "1", *, folder: Path | None = None
    ) -> None:
        """Install the example contract, or what is in *folder*, as *name*."""
        package = build_legacy_package(
            name=name,
            version=version,
            language=PEER_LANGUAGE[language],
            path=name,
            source=folder or sources(language),
        )
        administration = PeerAdministration(peer=self.peer, signer=self.admin)
        await administration.install(package)

    async def instantiate(
        self, name: str, language: str, args: Sequence[str] = ("init",), version: str = "1"
    ) -> None:
        """Instantiate it on the channel and wait for the commit."""
        deployment = Deployment(
            name=name,
            version=version,
            args=tuple(argument.encode() for argument in args),
            path=name,
            language_type=language_number(PEER_LANGUAGE[language]),
        )
        await self.channel.instantiate(deployment)


@asynccontextmanager
async def connected(process: PeerProcess, *, seconds: float = 120.0) -> AsyncIterator[Network]:
    """The network of a running peer without TLS; *seconds* bounds every endorsement and commit."""
    admin = load_local_msp(process.data / "client" / "msp", msp_id="Org1MSP").signer
    addresses = process.addresses
    async with (
        PeerConnection(Endpoint(address=addresses["peer"])) as peer,
        OrdererConnection(Endpoint(address=addresses["ordering"])) as orderer,
    ):
        channel = Channel(
            name=CHANNEL,
            signer=admin,
            peers=[peer],
            orderer=orderer,
            deadlines=Deadlines(endorse=seconds, commit=seconds),
        )
        network = Network(admin=admin, peer=peer, orderer=orderer, channel=channel)
        await network.wait_ready()
        yield network
