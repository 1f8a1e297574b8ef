"""Signing channel configuration updates, as ``peer channel create`` and ``update`` do."""

from __future__ import annotations

from fabric_protos.common.common_pb2 import Envelope, HeaderType
from fabric_protos.common.configtx_pb2 import ConfigUpdateEnvelope

from treadle_fabric.channelconfig import sign_update
from treadle_fabric.wire import (
    SignerLike,
    WireError,
    build_envelope,
    parse,
    serialize,
    unpack_payload,
)


class InvalidUpdate(WireError):
    """An envelope that is no configuration update, or one for another channel."""


def sign_config_update(envelope: Envelope, *, signer: SignerLike, channel_id: str = "") -> Envelope:
    """*envelope* with one more signature on its update, and signed as a whole by *signer*.

    *channel_id*, when given, must be the update's channel. Raises InvalidUpdate with Fabric's
    text (fabric-wire.md §5.10).
    """
    named, update = read_config_update(envelope)
    if channel_id and named != channel_id:
        raise InvalidUpdate(f"mismatched channel ID {named} != {channel_id}")
    update.signatures.append(sign_update(signer, update.config_update))
    return build_envelope(
        signer=signer,
        header_type=HeaderType.CONFIG_UPDATE,
        channel_id=named,
        data=serialize(update),
    )


def read_config_update(envelope: Envelope) -> tuple[str, ConfigUpdateEnvelope]:
    """Channel and content of a configuration update; raises InvalidUpdate."""
    try:
        payload = unpack_payload(envelope)
        update = parse(ConfigUpdateEnvelope, payload.data)
    except WireError as error:
        raise InvalidUpdate(f"not a configuration transaction: {error}") from error
    if payload.channel_header.type != HeaderType.CONFIG_UPDATE:
        raise InvalidUpdate("bad type")
    if not payload.channel_id:
        raise InvalidUpdate("empty channel id")
    return payload.channel_id, update
