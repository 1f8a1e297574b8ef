"""The update that leads from one configuration to another, as ``configtxlator compute_update``."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeVar

from fabric_protos.common.configtx_pb2 import (
    Config,
    ConfigGroup,
    ConfigPolicy,
    ConfigUpdate,
    ConfigValue,
)

from treadle_fabric.channelconfig.errors import ConfigError

_Leaf = TypeVar("_Leaf", ConfigValue, ConfigPolicy)


@dataclass(slots=True)
class _Sets:
    """What one group contributes; ``same`` joins read and write set if the members changed."""

    read: ConfigGroup = field(default_factory=ConfigGroup)
    write: ConfigGroup = field(default_factory=ConfigGroup)
    same: ConfigGroup = field(default_factory=ConfigGroup)
    members_changed: bool = False


def compute_update(original: Config, updated: Config, *, channel_id: str) -> ConfigUpdate:
    """Read and write set from *original* to *updated*, whose versions do not matter.

    Raises ConfigError when there is no difference or no channel group.
    """
    for config, name in ((original, "original"), (updated, "updated")):
        if not config.HasField("channel_group"):
            raise ConfigError(f"no channel group included for {name} config")
    read, write, changed = _group_update(original.channel_group, updated.channel_group)
    if not changed:
        raise ConfigError("no differences detected between original and updated config")
    return ConfigUpdate(channel_id=channel_id, read_set=read, write_set=write)


def _group_update(
    original: ConfigGroup, updated: ConfigGroup
) -> tuple[ConfigGroup, ConfigGroup, bool]:
    sets = _Sets()
    _compare_values(original, updated, sets)
    _compare_policies(original, updated, sets)
    _compare_groups(original, updated, sets)
    sets.read.version = sets.write.version = original.version
    if sets.members_changed or original.mod_policy != updated.mod_policy:
        sets.read.MergeFrom(sets.same)
        sets.write.MergeFrom(sets.same)
        sets.write.version = original.version + 1
        sets.write.mod_policy = updated.mod_policy
        return sets.read, sets.write, True
    changed = bool(sets.write.values or sets.write.policies or sets.write.groups)
    return sets.read, sets.write, changed


def _compare_values(original: ConfigGroup, updated: ConfigGroup, sets: _Sets) -> None:
    sets.members_changed |= original.values.keys() != updated.values.keys()
    for name, new in updated.values.items():
        if name not in original.values:
            sets.write.values[name].CopyFrom(_at_version(new, 0))
            continue
        old = original.values[name]
        if (old.mod_policy, old.value) == (new.mod_policy, new.value):
            sets.same.values[name].version = old.version
        else:
            sets.write.values[name].CopyFrom(_at_version(new, old.version + 1))


def _compare_policies(original: ConfigGroup, updated: ConfigGroup, sets: _Sets) -> None:
    sets.members_changed |= original.policies.keys() != updated.policies.keys()
    for name, new in updated.policies.items():
        if name not in original.policies:
            sets.write.policies[name].CopyFrom(_at_version(new, 0))
            continue
        old = original.policies[name]
        if _at_version(old, 0) == _at_version(new, 0):
            sets.same.policies[name].version = old.version
        else:
            sets.write.policies[name].CopyFrom(_at_version(new, old.version + 1))


def _compare_groups(original: ConfigGroup, updated: ConfigGroup, sets: _Sets) -> None:
    sets.members_changed |= original.groups.keys() != updated.groups.keys()
    for name, new in updated.groups.items():
        if name not in original.groups:
            sets.write.groups[name].CopyFrom(_new_group(new))
            continue
        read, write, changed = _group_update(original.groups[name], new)
        if changed:
            sets.read.groups[name].CopyFrom(read)
            sets.write.groups[name].CopyFrom(write)
        else:
            sets.same.groups[name].CopyFrom(read)


def _new_group(group: ConfigGroup) -> ConfigGroup:
    _, write, _ = _group_update(ConfigGroup(), group)
    write.version = 0
    write.mod_policy = group.mod_policy
    return write


def _at_version(leaf: _Leaf, version: int) -> _Leaf:
    copy = type(leaf)()
    copy.CopyFrom(leaf)
    copy.version = version
    return copy
