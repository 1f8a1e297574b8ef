"""New channels: from a channel creation transaction, or from nothing (fabric-wire.md §5.10)."""

from __future__ import annotations

from dataclasses import dataclass

from fabric_protos.common.common_pb2 import Block, HeaderType, Status
from treadle_fabric.channelconfig import (
    ConfigError,
    OrganizationDefinition,
    SystemChannel,
    genesis_block,
    propose_creation,
    system_channel,
)
from treadle_fabric.wire import SignerLike, build_envelope, new_block, serialize

from treadle_peer.order.envelopes import Submission
from treadle_peer.order.errors import BroadcastRefused


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelTemplate:
    """What new channels consist of.

    ``organizations`` is the consortium; any consortium name stands for it. ``addresses`` is where
    clients find the ordering.
    """

    organizations: tuple[OrganizationDefinition, ...]
    orderer: OrganizationDefinition
    addresses: tuple[str, ...]
    capability: str = "V1_4_2"

    def genesis(self, channel_id: str) -> Block:
        """Block 0 of a channel of all organisations; raises ConfigError for an unusable name."""
        return genesis_block(
            channel_id=channel_id,
            organizations=self.organizations,
            orderer_organization=self.orderer,
            orderer_addresses=self.addresses,
            application_capability=self.capability,
        )

    def system(self) -> SystemChannel:
        """What a creation transaction is applied to."""
        return system_channel(
            organizations=self.organizations,
            orderer_organization=self.orderer,
            orderer_addresses=self.addresses,
            application_capability=self.capability,
        )


def block_from_creation(
    submission: Submission, *, template: ChannelTemplate, signer: SignerLike
) -> Block:
    """Block 0 of the channel that a CONFIG_UPDATE asks for; raises BroadcastRefused."""
    try:
        created = propose_creation(submission.envelope, system=template.system())
    except ConfigError as error:
        raise BroadcastRefused(Status.BAD_REQUEST, str(error)) from error
    config = build_envelope(
        signer=signer,
        header_type=HeaderType.CONFIG,
        channel_id=submission.channel_id,
        data=serialize(created),
    )
    return new_block(0, b"", [serialize(config)])
