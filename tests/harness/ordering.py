"""One organisation and an embedded ordering, without a peer."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path

from fabric_protos.common.common_pb2 import Block, Envelope, HeaderType
from treadle_fabric.channelconfig import OrganizationDefinition
from treadle_fabric.identity import GeneratedOrganization, SigningIdentity
from treadle_fabric.wire import build_envelope, parse
from treadle_peer.order import (
    Chain,
    ChannelTemplate,
    OrderingIdentity,
    OrderingService,
    OrderStore,
    open_ordering_identity,
)

CHANNEL = "mychannel"


@dataclass(frozen=True)
class Network:
    """Who takes part: one organisation with an admin and a client, one ordering."""

    organization: GeneratedOrganization
    admin: SigningIdentity
    client: SigningIdentity
    orderer: OrderingIdentity
    template: ChannelTemplate

    @classmethod
    def make(cls, folder: Path) -> Network:
        """Generate everybody; the ordering's identity lies in *folder*."""
        organization = GeneratedOrganization.generate(msp_id="Org1MSP", domain="org1.test")
        orderer = open_ordering_identity(folder / "identity")
        return cls(
            organization=organization,
            admin=organization.issue_identity("admin", "admin"),
            client=organization.issue_identity("client", "user"),
            orderer=orderer,
            template=ChannelTemplate(
                organizations=(OrganizationDefinition("Org1MSP", organization.msp_config()),),
                orderer=OrganizationDefinition(orderer.msp_id, orderer.msp_config),
                addresses=("127.0.0.1:7050",),
            ),
        )

    def service(self, folder: Path) -> OrderingService:
        """An ordering on *folder*, not yet entered."""
        store = OrderStore(folder)
        return OrderingService(store, signer=self.orderer.signer, template=self.template)


def transaction(signer: SigningIdentity, data: bytes = b"tx", channel: str = CHANNEL) -> Envelope:
    """A signed envelope as an endorser transaction; ordering does not look inside."""
    return build_envelope(
        signer=signer,
        header_type=HeaderType.ENDORSER_TRANSACTION,
        channel_id=channel,
        data=data,
    )


async def channel(service: OrderingService) -> Chain:
    """The chain of a new channel."""
    await service.create_channel(CHANNEL)
    chain = service.chain(CHANNEL)
    assert chain is not None
    return chain


def block(chain: Chain, number: int) -> Block:
    """One block of a chain."""
    return parse(Block, chain.block_bytes(number))


async def all_ordered(chain: Chain, count: int) -> None:
    """Until the blocks after the first hold *count* envelopes."""
    async with asyncio.timeout(20):
        height = chain.height
        while sum(len(block(chain, n).data.data) for n in range(1, height)) < count:
            await chain.height_reached(height + 1)
            height = chain.height
