"""Reading the Application, Orderer and Consortiums groups (fabric-wire.md §5.10)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from fabric_protos.common.configtx_pb2 import ConfigGroup
from fabric_protos.common.configuration_pb2 import OrdererAddresses
from fabric_protos.msp.msp_config_pb2 import MSPConfig
from fabric_protos.orderer.configuration_pb2 import (
    BatchSize,
    BatchTimeout,
    ConsensusType,
    KafkaBrokers,
)
from fabric_protos.peer.configuration_pb2 import ACLs, AnchorPeers

from treadle_fabric.channelconfig import keys
from treadle_fabric.channelconfig.capabilities import (
    Capabilities,
    ChannelCapabilities,
    OrdererCapabilities,
    capability_names,
)
from treadle_fabric.channelconfig.errors import ConfigError
from treadle_fabric.channelconfig.keys import check_keys, get_value
from treadle_fabric.msp import MSP, MSPError, MSPManager, MSPVersion
from treadle_fabric.wire import parse_duration

_BROKER = re.compile(r"([a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9.-]*[a-zA-Z0-9]):\d{1,5}")
_ORDERER_VALUES = (
    keys.CONSENSUS_TYPE,
    keys.BATCH_SIZE,
    keys.BATCH_TIMEOUT,
    keys.KAFKA_BROKERS,
    keys.CHANNEL_RESTRICTIONS,
    keys.CAPABILITIES,
)


@dataclass(frozen=True, slots=True)
class Org:
    """One organisation: its key in the tree, its MSP, its anchor peers as ``host:port``.

    ``endpoints`` are the orderer addresses of an orderer organisation.
    """

    name: str
    msp_id: str
    anchor_peers: tuple[str, ...] = ()
    endpoints: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ApplicationConfig:
    """The Application group. ``acls`` maps resources to absolute policy paths."""

    orgs: tuple[Org, ...]
    capabilities: Capabilities
    acls: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class OrdererConfig:
    """The Orderer group. ``batch_timeout`` is in seconds; sizes are in bytes.

    ``addresses`` are where to reach the orderers: the organisations' own endpoints where there
    are any, else the channel's addresses.
    """

    max_message_count: int
    absolute_max_bytes: int
    preferred_max_bytes: int
    batch_timeout: float
    addresses: tuple[str, ...]
    orgs: tuple[Org, ...]
    consensus_type: str
    consensus_metadata: bytes
    capabilities: OrdererCapabilities


@dataclass(slots=True)
class MSPCollector:
    """Gathers the MSPs of all organisations of a channel; equal definitions count once."""

    version: MSPVersion
    _configs: dict[str, MSPConfig] = field(default_factory=dict)
    _msps: dict[str, MSP] = field(default_factory=dict)

    def add(self, org_name: str, config: MSPConfig) -> str:
        """Set up the MSP of an organisation and return its id; raises ConfigError."""
        try:
            msp = MSP.from_config(config, version=self.version)
        except MSPError as error:
            raise ConfigError(f"setting up the MSP manager failed: {error}") from error
        if not msp.msp_id:
            raise ConfigError(f"MSP for org {org_name} has empty MSP ID")
        known = self._configs.setdefault(msp.msp_id, config)
        if known != config:
            text = f"Attempted to define two different versions of MSP: {msp.msp_id}"
            raise ConfigError(text)
        self._msps.setdefault(msp.msp_id, msp)
        return msp.msp_id

    def manager(self) -> MSPManager:
        """The manager of everything added."""
        return MSPManager(self._msps.values())


def read_application(group: ConfigGroup, msps: MSPCollector) -> ApplicationConfig:
    """The Application group; raises ConfigError."""
    check_keys(group, (keys.ACLS, keys.CAPABILITIES))
    capabilities = Capabilities(capability_names(group))
    if keys.ACLS in group.values and not capabilities.acls:
        raise ConfigError("ACLs may not be specified without the required capability")
    orgs = tuple(_application_org(name, group.groups[name], msps) for name in sorted(group.groups))
    return ApplicationConfig(orgs=orgs, capabilities=capabilities, acls=_acls(group))


def read_orderer(
    group: ConfigGroup,
    msps: MSPCollector,
    *,
    capabilities: ChannelCapabilities,
    addresses: tuple[str, ...],
) -> OrdererConfig:
    """The Orderer group; *addresses* are the channel-wide ones. Raises ConfigError."""
    check_keys(group, _ORDERER_VALUES)
    size = _batch_size(group)
    timeout = _batch_timeout(group)
    _check_brokers(group)
    orgs = tuple(
        _orderer_org(name, group.groups[name], msps=msps, capabilities=capabilities)
        for name in sorted(group.groups)
    )
    consensus = get_value(group, keys.CONSENSUS_TYPE, ConsensusType)
    own = tuple(address for org in orgs for address in org.endpoints)
    return OrdererConfig(
        max_message_count=size.max_message_count,
        absolute_max_bytes=size.absolute_max_bytes,
        preferred_max_bytes=size.preferred_max_bytes,
        batch_timeout=timeout,
        addresses=own or addresses,
        orgs=orgs,
        consensus_type=consensus.type,
        consensus_metadata=consensus.metadata,
        capabilities=OrdererCapabilities(capability_names(group)),
    )


def read_consortiums(group: ConfigGroup, msps: MSPCollector) -> None:
    """Check the Consortiums group of a system channel and add its organisations' MSPs."""
    for consortium in group.groups.values():
        check_keys(consortium, (keys.CHANNEL_CREATION_POLICY,))
        for name in sorted(consortium.groups):
            org = consortium.groups[name]
            _check_no_groups(org, "organizations do not support sub-groups")
            check_keys(org, (keys.MSP_VALUE,))
            msps.add(name, get_value(org, keys.MSP_VALUE, MSPConfig))


def _application_org(name: str, group: ConfigGroup, msps: MSPCollector) -> Org:
    _check_no_groups(group, "ApplicationOrg config does not allow sub-groups")
    check_keys(group, (keys.MSP_VALUE, keys.ANCHOR_PEERS))
    anchors = get_value(group, keys.ANCHOR_PEERS, AnchorPeers).anchor_peers
    return Org(
        name=name,
        msp_id=msps.add(name, get_value(group, keys.MSP_VALUE, MSPConfig)),
        anchor_peers=tuple(f"{peer.host}:{peer.port}" for peer in anchors),
    )


def _orderer_org(
    name: str, group: ConfigGroup, *, msps: MSPCollector, capabilities: ChannelCapabilities
) -> Org:
    _check_no_groups(group, "OrdererOrg config does not allow sub-groups")
    if keys.ENDPOINTS in group.values and not capabilities.organization_endpoints:
        raise ConfigError(
            f"Orderer Org {name} cannot contain endpoints value until V1_4_2+ capabilities "
            "have been enabled"
        )
    check_keys(group, (keys.MSP_VALUE, keys.ENDPOINTS))
    return Org(
        name=name,
        msp_id=msps.add(name, get_value(group, keys.MSP_VALUE, MSPConfig)),
        endpoints=tuple(get_value(group, keys.ENDPOINTS, OrdererAddresses).addresses),
    )


def _check_no_groups(group: ConfigGroup, text: str) -> None:
    if group.groups:
        raise ConfigError(text)


def _acls(group: ConfigGroup) -> dict[str, str]:
    acls = get_value(group, keys.ACLS, ACLs).acls
    prefix = f"/{keys.CHANNEL}/{keys.APPLICATION}/"
    return {
        resource: ref if ref.startswith("/") else prefix + ref
        for resource in sorted(acls)
        # An empty reference means the default, as if the resource were not listed.
        if (ref := acls[resource].policy_ref)
    }


def _batch_size(group: ConfigGroup) -> BatchSize:
    size = get_value(group, keys.BATCH_SIZE, BatchSize)
    for name, value in (
        ("max message count", size.max_message_count),
        ("absolute max bytes", size.absolute_max_bytes),
        ("preferred max bytes", size.preferred_max_bytes),
    ):
        if value == 0:
            raise ConfigError(f"Attempted to set the batch size {name} to an invalid value: 0")
    if size.preferred_max_bytes > size.absolute_max_bytes:
        raise ConfigError(
            f"Attempted to set the batch size preferred max bytes ({size.preferred_max_bytes}) "
            f"greater than the absolute max bytes ({size.absolute_max_bytes})."
        )
    return size


def _batch_timeout(group: ConfigGroup) -> float:
    text = get_value(group, keys.BATCH_TIMEOUT, BatchTimeout).timeout
    try:
        seconds = parse_duration(text)
    except ValueError as error:
        raise ConfigError(
            f"Attempted to set the batch timeout to a invalid value: {error}"
        ) from error
    if seconds <= 0:
        raise ConfigError(f"Attempted to set the batch timeout to a non-positive value: {text}")
    return seconds


def _check_brokers(group: ConfigGroup) -> None:
    for broker in get_value(group, keys.KAFKA_BROKERS, KafkaBrokers).brokers:
        if not _BROKER.fullmatch(broker):
            raise ConfigError(f"Invalid broker entry: {broker}")
