"""Creating a channel by a transaction, as ``peer channel create`` does (fabric-wire.md §5.10).

The transaction names organisations only; who they are, the orderer knows from its system channel.
Embedded ordering has no such channel: a ``SystemChannel`` says the same.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from fabric_protos.common.common_pb2 import Envelope
from fabric_protos.common.configtx_pb2 import (
    Config,
    ConfigEnvelope,
    ConfigGroup,
    ConfigUpdate,
    ConfigUpdateEnvelope,
)
from fabric_protos.common.configuration_pb2 import Consortium
from fabric_protos.common.policies_pb2 import ImplicitMetaPolicy

from treadle_fabric.channelconfig import keys
from treadle_fabric.channelconfig.bundle import Bundle
from treadle_fabric.channelconfig.capabilities import OrdererCapabilities, capability_names
from treadle_fabric.channelconfig.compute import compute_update
from treadle_fabric.channelconfig.errors import ConfigError, config_prefix
from treadle_fabric.channelconfig.genesis import (
    BatchOptions,
    OrganizationDefinition,
    application_group,
    channel_group,
    implicit_policy,
    organization_group,
    put_value,
)
from treadle_fabric.channelconfig.names import check_channel_id
from treadle_fabric.channelconfig.tree import flatten, unflatten
from treadle_fabric.channelconfig.updates import (
    changes,
    check_complete,
    check_successor,
    next_config,
    read_update,
)
from treadle_fabric.wire import WireError, parse_bare, unpack_payload


@dataclass(frozen=True, slots=True)
class SystemChannel:
    """What new channels start from.

    ``template`` is a channel group whose values, policies and Orderer group they inherit;
    ``organizations`` are the groups of those who may be members, by name. With ``consortium``
    ``None`` any consortium name is taken.
    """

    template: ConfigGroup
    organizations: Mapping[str, ConfigGroup]
    consortium: str | None = None


def system_channel(
    *,
    organizations: Sequence[OrganizationDefinition],
    orderer_organization: OrganizationDefinition,
    orderer_addresses: Sequence[str],
    application_capability: str,
    batch: BatchOptions | None = None,
    consensus_type: str = "solo",
    consortium: str | None = None,
) -> SystemChannel:
    """The starting point for channels of *organizations*; see ``genesis_block``."""
    template = channel_group(
        organizations=(),
        orderer_organization=orderer_organization,
        orderer_addresses=orderer_addresses,
        application_capability=application_capability,
        batch=batch or BatchOptions(),
        consensus_type=consensus_type,
    )
    groups = {definition.name: organization_group(definition) for definition in organizations}
    return SystemChannel(template=template, organizations=groups, consortium=consortium)


def config_from_creation(update: ConfigUpdate, *, system: SystemChannel) -> Config:
    """The configuration that *update* creates, at sequence 1, without asking who signed.

    Raises ConfigError with Fabric's text.
    """
    template = _template(update, system)
    current = flatten(template.channel_group)
    delta, write_set = changes(update, current)
    proposed = {**current, **delta}
    check_complete(write_set, proposed)
    return Config(sequence=1, channel_group=unflatten(proposed))


def propose_creation(envelope: Envelope, *, system: SystemChannel) -> ConfigEnvelope:
    """The first configuration of the channel that *envelope*, a CONFIG_UPDATE, asks for.

    Any admin of one of the new members must have signed the update. Raises ConfigError with
    Fabric's text.
    """
    update = _requested_update(envelope)
    bundle = Bundle.from_config(update.channel_id, _template(update, system))
    with config_prefix(
        f"error validating channel creation transaction for new channel '{update.channel_id}', "
        "could not successfully apply update to template configuration"
    ):
        config = next_config(bundle, envelope)
    with config_prefix("config does not validly parse"):
        check_successor(bundle, config)
    return ConfigEnvelope(config=config, last_update=envelope)


def creation_update(
    *,
    channel_id: str,
    consortium: str,
    organizations: Sequence[str],
    capabilities: Sequence[str],
) -> ConfigUpdate:
    """What ``configtxgen -outputCreateChannelTx`` makes; *organizations* are names in the tree.

    *capabilities* are those of the Application group.
    """
    check_channel_id(channel_id)
    before, after = ConfigGroup(), ConfigGroup()
    empty = before.groups[keys.APPLICATION]
    empty.mod_policy = keys.ADMINS
    full = after.groups[keys.APPLICATION]
    full.CopyFrom(application_group(capabilities))
    for name in organizations:
        empty.groups[name].mod_policy = full.groups[name].mod_policy = keys.ADMINS
    update = compute_update(
        Config(channel_group=before), Config(channel_group=after), channel_id=channel_id
    )
    update.read_set.values[keys.CONSORTIUM].SetInParent()
    named = Consortium(name=consortium)
    update.write_set.values[keys.CONSORTIUM].value = named.SerializeToString()
    return update


def _requested_update(envelope: Envelope) -> ConfigUpdate:
    failing = "Failing initial channel config creation"
    try:
        payload = unpack_payload(envelope)
    except WireError as error:
        raise ConfigError(f"{failing} because of payload unmarshalling error: {error}") from error
    try:
        signed = parse_bare(ConfigUpdateEnvelope, payload.data)
    except WireError as error:
        text = f"{failing} because of config update envelope unmarshalling error: {error}"
        raise ConfigError(text) from error
    with config_prefix(f"{failing} because of config update unmarshalling error"):
        update = read_update(signed)
    if update.channel_id != payload.channel_id:
        names = f"'{update.channel_id}' != '{payload.channel_id}'"
        raise ConfigError(f"{failing}: mismatched channel IDs: {names}")
    return update


def _template(update: ConfigUpdate, system: SystemChannel) -> Config:
    application = _requested_application(update)
    name = _consortium_name(update, system)
    root = ConfigGroup()
    root.CopyFrom(system.template)
    capabilities = OrdererCapabilities(capability_names(root.groups[keys.ORDERER]))
    policy = _creation_policy_name(application, capabilities)
    members = ConfigGroup(mod_policy=policy)
    # Fabric's consortiums let any admin of one member create a channel.
    any_admin = implicit_policy(ImplicitMetaPolicy.ANY, keys.ADMINS)
    members.policies[policy].policy.CopyFrom(any_admin)
    members.policies[policy].mod_policy = policy
    for org, group in _members(application, system):
        members.groups[org].CopyFrom(group)
    root.groups[keys.APPLICATION].CopyFrom(members)
    put_value(root, keys.CONSORTIUM, Consortium(name=name))
    _reset_versions(root)
    return Config(channel_group=root)


def _reset_versions(group: ConfigGroup) -> None:
    # However often the system channel has changed, a new channel starts with zeros.
    group.version = 0
    for value in group.values.values():
        value.version = 0
    for policy in group.policies.values():
        policy.version = 0
    for sub_group in group.groups.values():
        _reset_versions(sub_group)


def _requested_application(update: ConfigUpdate) -> ConfigGroup:
    if not update.HasField("write_set"):
        raise ConfigError("Config update has an empty writeset")
    if keys.APPLICATION not in update.write_set.groups:
        raise ConfigError("Config update has missing application group")
    application = update.write_set.groups[keys.APPLICATION]
    version = application.version
    if version != 1:
        expected = "Config update for channel creation does not set application group version to 1"
        raise ConfigError(f"{expected}, was {version}")
    return application


def _consortium_name(update: ConfigUpdate, system: SystemChannel) -> str:
    if keys.CONSORTIUM not in update.write_set.values:
        raise ConfigError("Consortium config value missing")
    try:
        name = parse_bare(Consortium, update.write_set.values[keys.CONSORTIUM].value).name
    except WireError as error:
        raise ConfigError(f"Error reading unmarshalling consortium name: {error}") from error
    if system.consortium is not None and name != system.consortium:
        raise ConfigError(f"Unknown consortium name: {name}")
    return name


def _creation_policy_name(application: ConfigGroup, capabilities: OrdererCapabilities) -> str:
    policies = application.policies
    replaces_admins = keys.ADMINS not in policies or policies[keys.ADMINS].version != 0
    if capabilities.creation_policy_as_admins and policies and replaces_admins:
        return keys.ADMINS
    return keys.CHANNEL_CREATION_POLICY


def _members(application: ConfigGroup, system: SystemChannel) -> list[tuple[str, ConfigGroup]]:
    if system.organizations and not application.groups:
        raise ConfigError(
            "Proposed configuration has no application group members, "
            "but consortium contains members"
        )
    for name in sorted(application.groups):
        if name not in system.organizations:
            text = f"Attempted to include member {name} which is not in the consortium"
            raise ConfigError(text)
    return [(name, system.organizations[name]) for name in sorted(application.groups)]
