"""Making the first configuration of a channel, and its genesis block (fabric-wire.md §5.3, §5.10).

The tree is what ``configtxgen`` makes of Fabric's sample profiles. The zero-configuration channel
of the peer and of tests comes from here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from fabric_protos.common.common_pb2 import (
    Block,
    BlockMetadataIndex,
    ChannelHeader,
    Envelope,
    HeaderType,
    LastConfig,
    Metadata,
    OrdererBlockMetadata,
    SignatureHeader,
)
from fabric_protos.common.configtx_pb2 import Config, ConfigEnvelope, ConfigGroup
from fabric_protos.common.configuration_pb2 import (
    BlockDataHashingStructure,
    Capabilities,
    Capability,
    HashingAlgorithm,
    OrdererAddresses,
)
from fabric_protos.common.policies_pb2 import ImplicitMetaPolicy, Policy
from fabric_protos.msp.msp_config_pb2 import FabricMSPConfig, MSPConfig
from fabric_protos.orderer.configuration_pb2 import (
    BatchSize,
    BatchTimeout,
    ChannelRestrictions,
    ConsensusType,
)
from fabric_protos.peer.configuration_pb2 import AnchorPeer, AnchorPeers
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from treadle_fabric.channelconfig import keys
from treadle_fabric.channelconfig.errors import ConfigError
from treadle_fabric.channelconfig.names import check_channel_id, check_config_id
from treadle_fabric.policy import signed_by_any_admin, signed_by_any_member
from treadle_fabric.wire import (
    build_payload,
    compute_tx_id,
    format_duration,
    new_block,
    parse,
    serialize,
    set_metadata,
    sha256,
)

V1_4_2: Final = "V1_4_2"
V2_0: Final = "V2_0"
V2_5: Final = "V2_5"

_ORDERER_ADMINS = f"/{keys.CHANNEL}/{keys.ORDERER}/{keys.ADMINS}"
_ANY = ImplicitMetaPolicy.ANY
_MAJORITY = ImplicitMetaPolicy.MAJORITY
# Channel and Orderer levels that go with each Application level: with V1_4_2 a 1.4 peer and a
# 2.x peer can both join, and V1_4_3 gives the MSPs their newest rules (§6.4).
_LEVELS: Mapping[str, tuple[str, str]] = {
    V1_4_2: ("V1_4_3", "V1_4_2"),
    V2_0: ("V2_0", "V2_0"),
    V2_5: ("V2_0", "V2_0"),
}


@dataclass(frozen=True, slots=True)
class OrganizationDefinition:
    """An organisation to be put into a channel; *name* is its key in the configuration tree.

    ``anchor_peers`` are pairs of host and port.
    """

    name: str
    msp_config: MSPConfig
    anchor_peers: tuple[tuple[str, int], ...] = ()

    @property
    def msp_id(self) -> str:
        """The id inside the MSP definition."""
        return parse(FabricMSPConfig, self.msp_config.config).name


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchOptions:
    """How blocks are cut: sizes in bytes, timeout in seconds; Fabric's sample values."""

    max_message_count: int = 500
    absolute_max_bytes: int = 10 * 1024 * 1024
    preferred_max_bytes: int = 2 * 1024 * 1024
    timeout: float = 2.0


def genesis_block(
    *,
    channel_id: str,
    organizations: Sequence[OrganizationDefinition],
    orderer_organization: OrganizationDefinition,
    orderer_addresses: Sequence[str],
    application_capability: str = V1_4_2,
    batch: BatchOptions | None = None,
    consensus_type: str = "solo",
    created: datetime | None = None,
) -> Block:
    """Block 0 of a channel, the same for the same input; raises ConfigError.

    *created* is the time in its header, by default the epoch. Other organisations than the
    orderer's may be added later by configuration updates.
    """
    check_channel_id(channel_id)
    group = channel_group(
        organizations=organizations,
        orderer_organization=orderer_organization,
        orderer_addresses=orderer_addresses,
        application_capability=application_capability,
        batch=batch or BatchOptions(),
        consensus_type=consensus_type,
    )
    return block_of_config(channel_id, Config(channel_group=group), created=created)


def block_of_config(channel_id: str, config: Config, *, created: datetime | None = None) -> Block:
    """An unsigned genesis block around *config*, as ``configtxgen -outputBlock`` writes it."""
    data = serialize(ConfigEnvelope(config=config))
    # The nonce only has to differ between channels; taken from the content it is repeatable.
    signature_header = SignatureHeader(nonce=sha256(channel_id.encode(), data)[:24])
    channel_header = ChannelHeader(
        type=HeaderType.CONFIG,
        version=1,
        timestamp=_timestamp(created),
        channel_id=channel_id,
        tx_id=compute_tx_id(signature_header.nonce, b""),
    )
    payload = build_payload(
        channel_header=channel_header, signature_header=signature_header, data=data
    )
    block = new_block(0, b"", [serialize(Envelope(payload=payload))])
    first = LastConfig(index=0)
    for slot, value in (
        (BlockMetadataIndex.SIGNATURES, serialize(OrdererBlockMetadata(last_config=first))),
        (BlockMetadataIndex.LAST_CONFIG, serialize(first)),
    ):
        set_metadata(block, slot, serialize(Metadata(value=value)))
    return block


def channel_group(
    *,
    organizations: Sequence[OrganizationDefinition],
    orderer_organization: OrganizationDefinition,
    orderer_addresses: Sequence[str],
    application_capability: str,
    batch: BatchOptions,
    consensus_type: str,
) -> ConfigGroup:
    """The whole tree of a new channel; raises ConfigError for an unknown capability."""
    if application_capability not in _LEVELS:
        known = ", ".join(_LEVELS)
        raise ConfigError(f"capability {application_capability} is not one of {known}")
    channel_level, orderer_level = _LEVELS[application_capability]
    root = ConfigGroup(mod_policy=keys.ADMINS)
    _add_default_policies(root)
    put_value(root, keys.HASHING_ALGORITHM, HashingAlgorithm(name="SHA256"))
    put_value(root, keys.BLOCK_DATA_HASHING, BlockDataHashingStructure(width=0xFFFFFFFF))
    addresses = OrdererAddresses(addresses=orderer_addresses)
    put_value(root, keys.ORDERER_ADDRESSES, addresses, mod_policy=_ORDERER_ADMINS)
    put_value(root, keys.CAPABILITIES, capabilities_value([channel_level]))
    root.groups[keys.ORDERER].CopyFrom(
        _orderer_group(
            orderer_organization, batch=batch, level=orderer_level, consensus_type=consensus_type
        )
    )
    application = application_group([application_capability])
    for definition in organizations:
        check_config_id(definition.name)
        application.groups[definition.name].CopyFrom(organization_group(definition))
    root.groups[keys.APPLICATION].CopyFrom(application)
    return root


def application_group(capabilities: Sequence[str]) -> ConfigGroup:
    """The Application group without organisations, with Fabric's default policies."""
    group = ConfigGroup(mod_policy=keys.ADMINS)
    _add_default_policies(group)
    for name in (keys.ENDORSEMENT, keys.LIFECYCLE_ENDORSEMENT):
        put_policy(group, name, implicit_policy(_MAJORITY, keys.ENDORSEMENT))
    put_value(group, keys.CAPABILITIES, capabilities_value(capabilities))
    return group


def organization_group(definition: OrganizationDefinition) -> ConfigGroup:
    """An organisation's group: members read, write and endorse, admins administrate."""
    group = ConfigGroup(mod_policy=keys.ADMINS)
    members = _signature_policy(signed_by_any_member([definition.msp_id]))
    for name in (keys.READERS, keys.WRITERS, keys.ENDORSEMENT):
        put_policy(group, name, members)
    admins = _signature_policy(signed_by_any_admin([definition.msp_id]))
    put_policy(group, keys.ADMINS, admins)
    put_value(group, keys.MSP_VALUE, definition.msp_config)
    if definition.anchor_peers:
        peers = [AnchorPeer(host=host, port=port) for host, port in definition.anchor_peers]
        put_value(group, keys.ANCHOR_PEERS, AnchorPeers(anchor_peers=peers))
    return group


def _orderer_group(
    organization: OrganizationDefinition, *, batch: BatchOptions, level: str, consensus_type: str
) -> ConfigGroup:
    group = ConfigGroup(mod_policy=keys.ADMINS)
    _add_default_policies(group)
    put_policy(group, keys.BLOCK_VALIDATION, implicit_policy(_ANY, keys.WRITERS))
    size = BatchSize(
        max_message_count=batch.max_message_count,
        absolute_max_bytes=batch.absolute_max_bytes,
        preferred_max_bytes=batch.preferred_max_bytes,
    )
    put_value(group, keys.CONSENSUS_TYPE, ConsensusType(type=consensus_type))
    put_value(group, keys.BATCH_SIZE, size)
    timeout = format_duration(batch.timeout)
    put_value(group, keys.BATCH_TIMEOUT, BatchTimeout(timeout=timeout))
    put_value(group, keys.CHANNEL_RESTRICTIONS, ChannelRestrictions())
    put_value(group, keys.CAPABILITIES, capabilities_value([level]))
    check_config_id(organization.name)
    group.groups[organization.name].CopyFrom(organization_group(organization))
    return group


def capabilities_value(names: Sequence[str]) -> Capabilities:
    """The value that requires *names*."""
    return Capabilities(capabilities={name: Capability() for name in names})


def put_value(
    group: ConfigGroup, key: str, message: Message, *, mod_policy: str = keys.ADMINS
) -> None:
    """Set value *key* of *group* at version 0."""
    group.values[key].value = serialize(message)
    group.values[key].mod_policy = mod_policy


def put_policy(group: ConfigGroup, name: str, policy: Policy) -> None:
    """Set policy *name* of *group* at version 0, changeable by the group's Admins."""
    group.policies[name].policy.CopyFrom(policy)
    group.policies[name].mod_policy = keys.ADMINS


def implicit_policy(rule: ImplicitMetaPolicy.Rule.ValueType, sub_policy: str) -> Policy:
    """A policy over the policies *sub_policy* of all sub-groups."""
    meta = ImplicitMetaPolicy(rule=rule, sub_policy=sub_policy)
    return Policy(type=Policy.IMPLICIT_META, value=serialize(meta))


def _add_default_policies(group: ConfigGroup) -> None:
    put_policy(group, keys.READERS, implicit_policy(_ANY, keys.READERS))
    put_policy(group, keys.WRITERS, implicit_policy(_ANY, keys.WRITERS))
    put_policy(group, keys.ADMINS, implicit_policy(_MAJORITY, keys.ADMINS))


def _signature_policy(envelope: Message) -> Policy:
    return Policy(type=Policy.SIGNATURE, value=serialize(envelope))


def _timestamp(created: datetime | None) -> Timestamp:
    timestamp = Timestamp()
    if created is not None:
        timestamp.FromDatetime(created)
    return timestamp
