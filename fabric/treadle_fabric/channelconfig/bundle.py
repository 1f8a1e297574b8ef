"""A channel's configuration, checked and ready for use: the bundle (fabric-wire.md §5.10).

A bundle never changes; a config block makes a new one. Used by the peer (policies, MSPs, ACLs,
capabilities), by embedded ordering (batches, updates) and by clients (orderer addresses).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from fabric_protos.common.common_pb2 import Block, ChannelHeader, Envelope, HeaderType
from fabric_protos.common.configtx_pb2 import Config, ConfigEnvelope, ConfigGroup
from fabric_protos.common.configuration_pb2 import (
    BlockDataHashingStructure,
    HashingAlgorithm,
    OrdererAddresses,
)

from treadle_fabric.channelconfig import keys
from treadle_fabric.channelconfig.capabilities import (
    ChannelCapabilities,
    capability_names,
    check_supported,
)
from treadle_fabric.channelconfig.errors import ConfigError, config_prefix
from treadle_fabric.channelconfig.groups import (
    ApplicationConfig,
    MSPCollector,
    OrdererConfig,
    read_application,
    read_consortiums,
    read_orderer,
)
from treadle_fabric.channelconfig.keys import check_keys, get_value
from treadle_fabric.channelconfig.names import check_channel_id
from treadle_fabric.channelconfig.tree import flatten
from treadle_fabric.msp import MSPManager
from treadle_fabric.policy import PolicyError, PolicyManager
from treadle_fabric.wire import WireError, header_type_name, parse, unpack_payload

_CHANNEL_VALUES = (
    keys.HASHING_ALGORITHM,
    keys.BLOCK_DATA_HASHING,
    keys.ORDERER_ADDRESSES,
    keys.CONSORTIUM,
    keys.CAPABILITIES,
)
_SUBGROUPS = (keys.APPLICATION, keys.ORDERER, keys.CONSORTIUMS)
_HASHES = ("SHA256", "SHA3_256")
_FULL_WIDTH = 0xFFFFFFFF
_INITIALIZING = "initializing channelconfig failed"
_CONSENSUS = ("solo", "kafka", "etcdraft")


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """The configuration of one channel at one sequence.

    ``config`` is the message itself and must not be changed.
    """

    channel_id: str
    config: Config
    capabilities: ChannelCapabilities
    msps: MSPManager
    policies: PolicyManager
    application: ApplicationConfig
    orderer: OrdererConfig

    @property
    def sequence(self) -> int:
        """How many updates the configuration has seen."""
        return self.config.sequence

    @classmethod
    def from_config(cls, channel_id: str, config: Config) -> Bundle:
        """Check *config* and build its bundle; raises ConfigError with Fabric's text."""
        root = _checked_root(config)
        with config_prefix(_INITIALIZING):
            capabilities = ChannelCapabilities(capability_names(root))
        check_supported("Channel", capabilities.names)
        with config_prefix(_INITIALIZING):
            _check_channel_values(root, capabilities)
        msps = MSPCollector(capabilities.msp_version)
        with _reading(keys.APPLICATION):
            application = read_application(root.groups[keys.APPLICATION], msps)
        check_supported("Application", application.capabilities.names)
        with _reading(keys.ORDERER):
            orderer = _read_orderer(root, msps, capabilities)
        with _reading(keys.CONSORTIUMS):
            read_consortiums(_group(root, keys.CONSORTIUMS), msps)
        manager = msps.manager()
        bundle = cls(
            channel_id=channel_id,
            config=config,
            capabilities=capabilities,
            msps=manager,
            policies=_policies(root, manager),
            application=application,
            orderer=orderer,
        )
        with config_prefix("initializing configtx manager failed"):
            with config_prefix("bad channel ID"):
                check_channel_id(channel_id)
            with config_prefix("error converting config to map"):
                flatten(root)
        return bundle

    @classmethod
    def from_block(cls, block: Block) -> Bundle:
        """The bundle of a config block; raises ConfigError with Fabric's text."""
        channel_id, envelope = read_config_block(block)
        return cls.from_config(channel_id, envelope.config)


def read_config_block(block: Block) -> tuple[str, ConfigEnvelope]:
    """Channel id and config envelope of a config block; raises ConfigError."""
    if not block.data.data:
        raise ConfigError("malformed configuration block: envelope index out of bounds")
    try:
        envelope = parse(Envelope, block.data.data[0])
    except WireError as error:
        raise ConfigError(f"malformed configuration block: {error}") from error
    return read_config_envelope(envelope)


def read_config_envelope(envelope: Envelope) -> tuple[str, ConfigEnvelope]:
    """Channel id and content of a CONFIG transaction; raises ConfigError."""
    try:
        payload = unpack_payload(envelope)
        _check_type(payload.channel_header)
        return payload.channel_id, parse(ConfigEnvelope, payload.data)
    except WireError as error:
        raise ConfigError(f"malformed configuration envelope: {error}") from error


def _check_type(header: ChannelHeader) -> None:
    if header.type != HeaderType.CONFIG:
        raise WireError(f"invalid type {header_type_name(header.type)}, expected CONFIG")


@contextmanager
def _reading(group: str) -> Iterator[None]:
    """Say which group a ConfigError is about."""
    with config_prefix(f"{_INITIALIZING}: could not create channel {group} sub-group config"):
        yield


def _checked_root(config: Config) -> ConfigGroup:
    if not config.HasField("channel_group"):
        raise ConfigError("config must contain a channel group")
    root = config.channel_group
    _check_capability_order(root)
    for name in sorted(root.groups):
        if name not in _SUBGROUPS:
            raise ConfigError(f"Disallowed channel group: {name}")
    for name in (keys.APPLICATION, keys.ORDERER):
        if name not in root.groups:
            text = f"invalid configuration block, missing {name} configuration group"
            raise ConfigError(text)
    return root


def _check_capability_order(root: ConfigGroup) -> None:
    if keys.CAPABILITIES in _group(root, keys.ORDERER).values or keys.ORDERER not in root.groups:
        return
    if keys.CAPABILITIES in root.values:
        raise ConfigError("cannot enable channel capabilities without orderer support first")
    if keys.CAPABILITIES in _group(root, keys.APPLICATION).values:
        raise ConfigError("cannot enable application capabilities without orderer support first")


def _group(root: ConfigGroup, name: str) -> ConfigGroup:
    # Indexing a message map creates what is missing.
    return root.groups[name] if name in root.groups else ConfigGroup()


def _check_channel_values(root: ConfigGroup, capabilities: ChannelCapabilities) -> None:
    check_keys(root, _CHANNEL_VALUES)
    algorithm = get_value(root, keys.HASHING_ALGORITHM, HashingAlgorithm).name
    if algorithm not in _HASHES:
        raise ConfigError(f"Unknown hashing algorithm type: {algorithm}")
    structure = get_value(root, keys.BLOCK_DATA_HASHING, BlockDataHashingStructure)
    if structure.width != _FULL_WIDTH:
        raise ConfigError(
            "BlockDataHashStructure width only supported at MaxUint32 in this version"
        )
    if not capabilities.organization_endpoints and not _addresses(root):
        raise ConfigError("Must set some OrdererAddresses")


def _addresses(root: ConfigGroup) -> tuple[str, ...]:
    return tuple(get_value(root, keys.ORDERER_ADDRESSES, OrdererAddresses).addresses)


def _read_orderer(
    root: ConfigGroup, msps: MSPCollector, capabilities: ChannelCapabilities
) -> OrdererConfig:
    orderer = read_orderer(
        root.groups[keys.ORDERER],
        msps,
        capabilities=capabilities,
        addresses=_addresses(root),
    )
    if orderer.consensus_type not in _CONSENSUS:
        raise ConfigError(
            f"consensus type {orderer.consensus_type or '(empty)'} is not supported; "
            f"channels ordered by one of {', '.join(_CONSENSUS)} can be joined"
        )
    return orderer


def _policies(root: ConfigGroup, msps: MSPManager) -> PolicyManager:
    try:
        return PolicyManager.from_config_group(root, msps)
    except PolicyError as error:
        raise ConfigError(f"initializing policymanager failed: {error}") from error
