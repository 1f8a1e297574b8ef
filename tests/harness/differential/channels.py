"""New channels at a target, as an admin makes them: create, fetch block 0, join."""

from __future__ import annotations

import asyncio

from fabric_protos.common.common_pb2 import Block, SignatureHeader
from fabric_protos.msp.identities_pb2 import SerializedIdentity
from harness.differential.drafts import Draft
from harness.differential.links import Links
from harness.differential.material import FixedConsortium
from harness.differential.targets import CONSORTIUM
from treadle_fabric.channelconfig import creation_update, update_transaction
from treadle_fabric.wire import first_payload, serialize

ORGANIZATION = "Org1MSP"


class ChannelMaker:
    """Makes channels of Org1 alone."""

    def __init__(self, links: Links, cast: FixedConsortium) -> None:
        self._links = links
        self._cast = cast

    async def make(self, name: str, *, capability: str = "V1_4_2") -> None:
        """Return when the peer has joined *name*."""
        admin = self._cast.admin
        update = creation_update(
            channel_id=name,
            consortium=CONSORTIUM,
            organizations=[ORGANIZATION],
            capabilities=[capability],
        )
        envelope = update_transaction(update=update, signers=[admin], submitter=admin)
        call = self._links.ordering.Broadcast(timeout=40, wait_for_ready=True)
        await call.write(envelope)
        answer = await call.read()
        assert answer.status == 200, f"{name}: {answer}"
        genesis = await self._first_block(name)
        join = Draft(
            seed=f"join {name}",
            signer=admin,
            channel_id="",
            chaincode="cscc",
            args=[b"JoinChain", serialize(genesis)],
        ).build()
        joined = await self._links.endorser.ProcessProposal(join.signed, timeout=40)
        assert joined.response.status == 200, joined.response.message

    async def _first_block(self, name: str) -> Block:
        # A solo orderer answers 404 until it has made the channel.
        deadline = asyncio.get_running_loop().time() + 20
        while True:
            try:
                return await self._links.ordered(self._cast.admin, name, 0)
            except AssertionError:
                if asyncio.get_running_loop().time() > deadline:
                    raise
                await asyncio.sleep(0.05)


def orderer_name(genesis: Block) -> dict[bytes, str]:
    """Who signed block 0 as its orderer: certificate -> what stands for it."""
    header = SignatureHeader.FromString(first_payload(genesis).header.signature_header)
    orderer = SerializedIdentity.FromString(header.creator)
    return {orderer.id_bytes: "<the orderer's certificate>"}
