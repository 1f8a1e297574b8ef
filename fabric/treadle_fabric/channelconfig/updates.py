"""Updates of an existing channel's configuration, on both sides (fabric-wire.md §5.10).

The orderer turns a CONFIG_UPDATE into the next configuration (``propose_update``); every peer
repeats the work and compares (``validate_config``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from fabric_protos.common.common_pb2 import Envelope, HeaderType, SignatureHeader
from fabric_protos.common.configtx_pb2 import (
    Config,
    ConfigEnvelope,
    ConfigGroup,
    ConfigUpdate,
    ConfigUpdateEnvelope,
)

from treadle_fabric.channelconfig.bundle import Bundle
from treadle_fabric.channelconfig.capabilities import check_supported
from treadle_fabric.channelconfig.errors import ConfigError, config_prefix
from treadle_fabric.channelconfig.groups import Org
from treadle_fabric.channelconfig.names import check_mod_policy
from treadle_fabric.channelconfig.tree import Item, flatten, unflatten
from treadle_fabric.policy import PolicyError, SignedData
from treadle_fabric.wire import WireError, header_type_name, parse, parse_bare, unpack_payload


def propose_update(bundle: Bundle, envelope: Envelope) -> ConfigEnvelope:
    """The configuration that *envelope*, a CONFIG_UPDATE, makes of *bundle*.

    Checks read set, versions and the signatures each changed element demands; the result is
    known to load. Raises ConfigError with Fabric's text.
    """
    config = next_config(bundle, envelope)
    check_successor(bundle, config)
    return ConfigEnvelope(config=config, last_update=envelope)


def next_config(bundle: Bundle, envelope: Envelope) -> Config:
    """The same, but without knowing whether the result loads."""
    with config_prefix("error converting envelope to config update"):
        update = read_update_envelope(envelope)
    with config_prefix("error authorizing update"):
        group = _authorize(bundle, update)
    return Config(sequence=bundle.sequence + 1, channel_group=group)


def check_successor(bundle: Bundle, config: Config) -> None:
    """Raise ConfigError unless an orderer may put *config* in the place of *bundle*."""
    successor = Bundle.from_config(bundle.channel_id, config)
    check_supported("Orderer", successor.orderer.capabilities.names)
    check_succession(bundle, successor)


def validate_config(bundle: Bundle, envelope: ConfigEnvelope) -> Bundle:
    """The bundle of *envelope*, the next configuration according to an orderer.

    Raises ConfigError unless its last update, applied to *bundle*, gives exactly this result.
    """
    if not envelope.HasField("config"):
        raise ConfigError("config envelope has nil config")
    config = envelope.config
    if config.sequence != bundle.sequence + 1:
        raise ConfigError(
            f"config currently at sequence {bundle.sequence}, "
            f"cannot validate config at sequence {config.sequence}"
        )
    group = _authorize(bundle, read_update_envelope(envelope.last_update))
    if group != config.channel_group:
        raise ConfigError("ConfigEnvelope LastUpdate did not produce the supplied config result")
    successor = Bundle.from_config(bundle.channel_id, config)
    check_succession(bundle, successor)
    return successor


def read_update_envelope(envelope: Envelope) -> ConfigUpdateEnvelope:
    """The content of a CONFIG_UPDATE transaction; raises ConfigError."""
    try:
        payload = unpack_payload(envelope)
        kind = payload.channel_header.type
        if kind != HeaderType.CONFIG_UPDATE:
            text = f"invalid type {header_type_name(kind)}, expected CONFIG_UPDATE"
            raise ConfigError(text)
    except WireError as error:
        raise ConfigError(str(error)) from error
    try:
        return parse_bare(ConfigUpdateEnvelope, payload.data)
    except WireError as error:
        text = f"error unmarshalling message for type CONFIG_UPDATE: {error}"
        raise ConfigError(text) from error


def read_update(envelope: ConfigUpdateEnvelope) -> ConfigUpdate:
    """The update that the signatures of *envelope* cover; raises ConfigError."""
    try:
        return parse_bare(ConfigUpdate, envelope.config_update)
    except WireError as error:
        raise ConfigError(str(error)) from error


def check_succession(current: Bundle, successor: Bundle) -> None:
    """Raise ConfigError for what no update may change: MSP ids, consensus without capability."""
    before, after = current.orderer, successor.orderer
    if (
        not current.capabilities.consensus_migration
        and before.consensus_type != after.consensus_type
    ):
        raise ConfigError(
            "attempted to change consensus type "
            f"from {before.consensus_type} to {after.consensus_type}"
        )
    _check_msp_ids("orderer", before.orgs, after.orgs)
    _check_msp_ids("application", current.application.orgs, successor.application.orgs)


def _check_msp_ids(kind: str, before: Sequence[Org], after: Sequence[Org]) -> None:
    ids = {org.name: org.msp_id for org in after}
    for org in before:
        new = ids.get(org.name, org.msp_id)
        if new != org.msp_id:
            raise ConfigError(
                f"{kind} org {org.name} attempted to change MSP ID from {org.msp_id} to {new}"
            )


def _authorize(bundle: Bundle, envelope: ConfigUpdateEnvelope) -> ConfigGroup:
    update = read_update(envelope)
    if update.channel_id != bundle.channel_id:
        raise ConfigError(
            f"ConfigUpdate for channel '{update.channel_id}' "
            f"but envelope for channel '{bundle.channel_id}'"
        )
    current = flatten(bundle.config.channel_group)
    delta, write_set = changes(update, current)
    _check_authorized(bundle, delta, current=current, signed=_signed_data(envelope))
    proposed = {**current, **delta}
    check_complete(write_set, proposed)
    return unflatten(proposed)


def changes(
    update: ConfigUpdate, current: Mapping[str, Item]
) -> tuple[dict[str, Item], dict[str, Item]]:
    """What *update* changes, and its whole write set; raises ConfigError on a stale read set."""
    read_set = _flatten_set(update.read_set if update.HasField("read_set") else None, "ReadSet")
    _check_read_set(read_set, current)
    write_set = _flatten_set(update.write_set if update.HasField("write_set") else None, "WriteSet")
    delta = {
        key: item
        for key, item in write_set.items()
        if key not in read_set or read_set[key].version != item.version
    }
    check_versions(delta, current)
    return delta, write_set


def _flatten_set(group: ConfigGroup | None, name: str) -> dict[str, Item]:
    if group is None:
        return {}
    try:
        return flatten(group)
    except ConfigError as error:
        raise ConfigError(f"error mapping {name}: {error}") from error


def _check_read_set(read_set: Mapping[str, Item], current: Mapping[str, Item]) -> None:
    for key, item in read_set.items():
        existing = current.get(key)
        if existing is None:
            raise ConfigError(
                f"error validating ReadSet: existing config does not contain element for {key} "
                "but was in the read set"
            )
        if existing.version != item.version:
            raise ConfigError(
                f"error validating ReadSet: proposed update requires that key {key} "
                f"be at version {item.version}, but it is currently at version {existing.version}"
            )


def check_versions(delta: Mapping[str, Item], current: Mapping[str, Item]) -> None:
    """Raise ConfigError unless each change raises its element's version by one."""
    if not delta:
        text = "delta set was empty -- update would have no effect"
        raise ConfigError(f"error validating DeltaSet: {text}")
    for key, item in delta.items():
        try:
            check_mod_policy(item.element.mod_policy)
        except ConfigError as error:
            raise ConfigError(
                f"error validating DeltaSet: invalid mod_policy for element {key}: {error}"
            ) from error
        _check_version(key, item, current.get(key))


def _check_version(key: str, item: Item, existing: Item | None) -> None:
    if existing is None and item.version != 0:
        raise ConfigError(
            f"error validating DeltaSet: attempted to set key {key} to version {item.version}, "
            "but key does not exist"
        )
    if existing is not None and item.version != existing.version + 1:
        raise ConfigError(
            f"error validating DeltaSet: attempt to set key {key} to version {item.version}, "
            f"but key is at version {existing.version}"
        )


def _check_authorized(
    bundle: Bundle,
    delta: Mapping[str, Item],
    *,
    current: Mapping[str, Item],
    signed: Sequence[SignedData],
) -> None:
    for key in delta:
        # A new element is authorised by the change of the group that holds it.
        if key not in current:
            continue
        policy = bundle.policies.policy(current[key].policy_path)
        try:
            policy.evaluate(signed)
        except PolicyError as error:
            text = f"error validating DeltaSet: policy for {key} not satisfied: {error}"
            raise ConfigError(text) from error


def check_complete(write_set: Mapping[str, Item], proposed: Mapping[str, Item]) -> None:
    """Raise ConfigError unless everything in the write set is part of the result."""
    for key in write_set:
        if key not in proposed:
            raise ConfigError(
                "full config did not verify: "
                f"writeset contained key {key} which did not appear in proposed config"
            )


def _signed_data(envelope: ConfigUpdateEnvelope) -> list[SignedData]:
    try:
        return [
            SignedData(
                data=entry.signature_header + envelope.config_update,
                identity=parse(SignatureHeader, entry.signature_header).creator,
                signature=entry.signature,
            )
            for entry in envelope.signatures
        ]
    except WireError as error:
        raise ConfigError(str(error)) from error
