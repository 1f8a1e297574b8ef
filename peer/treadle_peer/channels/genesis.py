"""What a config block must look like before a peer joins its channel (fabric-wire.md §5.10)."""

from __future__ import annotations

from fabric_protos.common.common_pb2 import Block, ChannelHeader, HeaderType
from fabric_protos.common.configtx_pb2 import ConfigEnvelope
from treadle_fabric.channelconfig import Bundle, ConfigError
from treadle_fabric.wire import WireError, first_payload, header_type_name, parse


def check_config_block(block: Block) -> Bundle:
    """The configuration that *block* starts a channel with.

    Raises ConfigError with the text that follows ``because of `` in Fabric's answer to a join.
    """
    envelope = _config_envelope(block)
    if not envelope.HasField("config"):
        raise ConfigError("Nil config envelope Config")
    if not envelope.config.HasField("channel_group"):
        raise ConfigError("Nil channel group")
    groups = envelope.config.channel_group.groups
    if not groups:
        raise ConfigError("No channel configuration groups are available")
    if "Application" not in groups:
        raise ConfigError("Invalid configuration block, missing Application configuration group")
    try:
        return Bundle.from_block(block)
    except ConfigError as error:
        raise ConfigError(f"Failed capabilities check: [{error}]") from error


def _config_envelope(block: Block) -> ConfigEnvelope:
    try:
        payload = first_payload(block)
        header = parse(ChannelHeader, payload.header.channel_header)
        if header.type != HeaderType.CONFIG:
            raise WireError(f"invalid type {header_type_name(header.type)}, expected CONFIG")
        return parse(ConfigEnvelope, payload.data, "message for type CONFIG")
    except WireError as error:
        raise ConfigError(f"Bad configuration envelope: {error}") from error
