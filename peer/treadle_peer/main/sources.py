"""Blocks for the deliver services: of the peer's ledgers, and of the ordering."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from treadle_fabric.channelconfig import Bundle
from treadle_fabric.msp import MSPError
from treadle_fabric.policy import PolicyError, SignedData

from treadle_peer import endorse
from treadle_peer.channels import Channel
from treadle_peer.order import Chain
from treadle_peer.services.deliver import AccessDenied, Content

_ORDERER_READERS = "/Channel/Readers"


@dataclass(frozen=True, slots=True)
class LedgerBlocks:
    """Committed blocks of a joined channel; readers are judged by the peer's ACLs."""

    channel: Channel
    acl: endorse.AccessControl

    @property
    def height(self) -> int:
        """See BlockSource."""
        return self.channel.height

    @property
    def config_sequence(self) -> int:
        """See BlockSource."""
        return self.channel.bundle.sequence

    def block_bytes(self, number: int) -> bytes:
        """See BlockSource."""
        return self.channel.ledger.block_bytes(number)

    async def height_reached(self, height: int) -> None:
        """See BlockSource."""
        await self.channel.height_reached(height)

    def check_access(self, signed: SignedData, content: Content) -> datetime | None:
        """See BlockSource."""
        resource = "event/FilteredBlock" if content is Content.FILTERED else "event/Block"
        try:
            self.acl.check(resource, self.channel.channel_id, signed)
        except endorse.AccessDenied as error:
            raise AccessDenied(str(error)) from error
        return _expiry(self.channel.bundle, signed)


@dataclass(frozen=True, slots=True)
class OrderedBlocks:
    """Blocks of the embedded ordering; readers are judged by ``/Channel/Readers``."""

    chain: Chain

    @property
    def height(self) -> int:
        """See BlockSource."""
        return self.chain.height

    @property
    def config_sequence(self) -> int:
        """See BlockSource."""
        return self.chain.bundle.sequence

    def block_bytes(self, number: int) -> bytes:
        """See BlockSource."""
        return self.chain.block_bytes(number)

    async def height_reached(self, height: int) -> None:
        """See BlockSource."""
        await self.chain.height_reached(height)

    def check_access(self, signed: SignedData, content: Content) -> datetime | None:
        """See BlockSource."""
        try:
            self.chain.bundle.policies.policy(_ORDERER_READERS).evaluate([signed])
        except PolicyError as error:
            raise AccessDenied(str(error)) from error
        return _expiry(self.chain.bundle, signed)


def _expiry(bundle: Bundle, signed: SignedData) -> datetime | None:
    try:
        return bundle.msps.deserialize(signed.identity).expires_at()
    except MSPError:
        return None  # policies of other kinds of identities decide alone
