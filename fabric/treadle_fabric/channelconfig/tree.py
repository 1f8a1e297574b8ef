"""The configuration tree as a flat map of its elements, and back.

Updates are checked element by element; the map's keys are the names that Fabric's error texts use
(``[Value]  /Channel/Orderer/BatchSize``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

from fabric_protos.common.configtx_pb2 import ConfigGroup, ConfigPolicy, ConfigValue

from treadle_fabric.channelconfig.errors import ConfigError
from treadle_fabric.channelconfig.keys import ADMINS, CHANNEL
from treadle_fabric.channelconfig.names import check_config_id

_E = TypeVar("_E", ConfigGroup, ConfigValue, ConfigPolicy)

_GROUP = "[Group]  "
_VALUE = "[Value]  "
_POLICY = "[Policy] "
_ORDERER_CAPABILITIES = f"{_VALUE}/Channel/Orderer/Capabilities"


@dataclass(frozen=True, slots=True)
class Item:
    """One element; ``context`` is the group whose policies a relative ``mod_policy`` names."""

    element: ConfigGroup | ConfigValue | ConfigPolicy
    context: str

    @property
    def version(self) -> int:
        """How often the element changed."""
        return self.element.version

    @property
    def policy_path(self) -> str:
        """The absolute path of the element's ``mod_policy``."""
        policy = self.element.mod_policy
        return policy if policy.startswith("/") else f"{self.context}/{policy}"


def flatten(root: ConfigGroup) -> dict[str, Item]:
    """All elements of the tree below *root*; raises ConfigError for an illegal name."""
    items: dict[str, Item] = {}
    _flatten_group(items, f"/{CHANNEL}", root)
    return items


def _flatten_group(items: dict[str, Item], path: str, group: ConfigGroup) -> None:
    items[_GROUP + path] = Item(group, path)
    for name in sorted(group.values):
        _check_key(_VALUE, name)
        items[f"{_VALUE}{path}/{name}"] = Item(group.values[name], path)
    for name in sorted(group.policies):
        _check_key(_POLICY, name)
        items[f"{_POLICY}{path}/{name}"] = Item(group.policies[name], path)
    for name in sorted(group.groups):
        _check_key(_GROUP, name)
        _flatten_group(items, f"{path}/{name}", group.groups[name])


def _check_key(kind: str, name: str) -> None:
    try:
        check_config_id(name)
    except ConfigError as error:
        raise ConfigError(f"illegal characters in key: {kind}: {error}") from error


def unflatten(items: Mapping[str, Item]) -> ConfigGroup:
    """The tree made of *items*: each group says by name what it holds, the map says what it is.

    Raises ConfigError when a group names an element that is not in the map.
    """
    return _unflatten_group(items, f"/{CHANNEL}")


def _unflatten_group(items: Mapping[str, Item], path: str) -> ConfigGroup:
    group = _element(items, _GROUP + path, ConfigGroup)
    result = ConfigGroup(version=group.version, mod_policy=group.mod_policy)
    for name in group.groups:
        result.groups[name].CopyFrom(_unflatten_group(items, f"{path}/{name}"))
    for name in group.values:
        key = f"{_VALUE}{path}/{name}"
        value = _element(items, key, ConfigValue)
        result.values[name].CopyFrom(value)
    for name in group.policies:
        key = f"{_POLICY}{path}/{name}"
        policy = _element(items, key, ConfigPolicy)
        result.policies[name].CopyFrom(policy)
    if _ORDERER_CAPABILITIES in items:
        _fill_mod_policies(result)
    return result


def _element(items: Mapping[str, Item], key: str, kind: type[_E]) -> _E:
    item = items.get(key)
    if item is None or not isinstance(item.element, kind):
        name = key[1 : key.index("]")].lower()
        raise ConfigError(f"missing {name} at path: {key}")
    return item.element


def _fill_mod_policies(group: ConfigGroup) -> None:
    # Channels from 1.0 lack some mod_policies, which nobody could change; Fabric repairs them
    # with the first update under capabilities, and a different result would not validate.
    elements: list[ConfigGroup | ConfigValue | ConfigPolicy] = [group]
    elements.extend(group.values.values())
    elements.extend(group.policies.values())
    for element in elements:
        if not element.mod_policy:
            element.mod_policy = ADMINS
