"""The ChaincodeInstantiation: a chaincode on a channel, and the processes that run it. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from treadle_operator.model.common import Meta, Mode, Ref, parse_meta
from treadle_operator.model.package import check_object_name
from treadle_operator.model.reading import Fields
from treadle_operator.model.settings import RuntimeSettings, runtime_settings

DEFAULT_CHANNEL: Final = "mychannel"
_CHANNEL: Final = re.compile("[a-z][a-z0-9.-]*")
_COLLECTION: Final = re.compile("[A-Za-z0-9_-]+")
_LARGEST_INT32: Final = 2**31 - 1
_LARGEST_INT64: Final = 2**63 - 1


class Lifecycle(StrEnum):
    """How a definition gets onto the ledger."""

    LEGACY = "Legacy"
    V2 = "V2"


@dataclass(frozen=True, slots=True)
class CollectionEndorsement:
    """Endorsements that writes to a collection need: one of the two."""

    signature_policy: str | None
    channel_config_policy: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectionSpec:
    """A private data collection; ``block_to_live`` 0 keeps its data for ever."""

    name: str
    policy: str
    required_peer_count: int
    max_peer_count: int
    block_to_live: int
    member_only_read: bool
    member_only_write: bool
    endorsement: CollectionEndorsement | None


@dataclass(frozen=True, slots=True, kw_only=True)
class InstantiationSpec:
    """The spec of a ChaincodeInstantiation.

    ``lifecycle`` None: what the channel allows; ``mode`` None: the peer's; ``init`` None: no
    ``spec.init``, otherwise its arguments.
    """

    package: Ref
    channel: str
    lifecycle: Lifecycle | None
    mode: Mode | None
    init: tuple[str, ...] | None
    endorsement_policy: str | None
    collections: tuple[CollectionSpec, ...]
    runtime: RuntimeSettings


@dataclass(frozen=True, slots=True)
class ChaincodeInstantiation:
    """A ChaincodeInstantiation as the API server stores it."""

    meta: Meta
    spec: InstantiationSpec
    status: Mapping[str, object]


def parse_instantiation(body: Mapping[str, object]) -> ChaincodeInstantiation:
    """Read a stored ChaincodeInstantiation; raises InvalidObject."""
    meta = parse_meta(body)
    check_object_name(meta)
    spec = Fields.of_spec(body)
    init = spec.inner("init")
    policy = spec.text("endorsementPolicy", "")
    parsed = InstantiationSpec(
        package=spec.reference("packageRef"),
        channel=_channel(spec),
        lifecycle=spec.optional_choice("lifecycle", Lifecycle),
        mode=spec.optional_choice("mode", Mode),
        init=init.texts("args") if init is not None else None,
        endorsement_policy=policy or None,
        collections=_collections(spec),
        runtime=runtime_settings(spec.inner("runtime")),
    )
    status = body.get("status")
    return ChaincodeInstantiation(meta, parsed, status if isinstance(status, Mapping) else {})


def _channel(spec: Fields) -> str:
    channel = spec.text("channel", DEFAULT_CHANNEL)
    if not _CHANNEL.fullmatch(channel):
        raise spec.wrong("channel", "use lower-case letters, digits, '.' and '-', a letter first")
    return channel


def _collections(spec: Fields) -> tuple[CollectionSpec, ...]:
    found = tuple(_collection(item) for item in spec.items("collections"))
    if len({collection.name for collection in found}) < len(found):
        raise spec.wrong("collections", "give each collection a name of its own")
    return found


def _collection(item: Fields) -> CollectionSpec:
    name = item.text("name")
    if not _COLLECTION.fullmatch(name):
        raise item.wrong("name", "use letters, digits, '_' and '-'")
    required = item.number("requiredPeerCount", 0, (0, _LARGEST_INT32))
    most = item.number("maxPeerCount", 1, (0, _LARGEST_INT32))
    if most < required:
        raise item.wrong("maxPeerCount", "it is below requiredPeerCount, raise it")
    return CollectionSpec(
        name=name,
        policy=item.text("policy"),
        required_peer_count=required,
        max_peer_count=most,
        block_to_live=item.number("blockToLive", 0, (0, _LARGEST_INT64)),
        member_only_read=item.flag("memberOnlyRead", False),
        member_only_write=item.flag("memberOnlyWrite", False),
        endorsement=_endorsement(item),
    )


def _endorsement(item: Fields) -> CollectionEndorsement | None:
    inner = item.inner("endorsementPolicy")
    if inner is None:
        return None
    names = ("signaturePolicy", "channelConfigPolicy")
    signature, channel = (inner.text(name) if inner.has(name) else None for name in names)
    if (signature is None) == (channel is None):
        raise item.wrong(
            "endorsementPolicy", "give exactly one of signaturePolicy and channelConfigPolicy"
        )
    return CollectionEndorsement(signature, channel)
