"""Which names channels and configuration elements may have (fabric-wire.md §5.10)."""

from __future__ import annotations

import re

from treadle_fabric.channelconfig.errors import ConfigError

_MAX_LENGTH = 249
_CHANNEL_ID = re.compile(r"[a-z][a-z0-9.-]*")
_CONFIG_ID = re.compile(r"[a-zA-Z0-9.-]+")


def check_channel_id(channel_id: str) -> None:
    """Raise ConfigError unless *channel_id* may name a channel."""
    if not channel_id:
        raise ConfigError("channel ID illegal, cannot be empty")
    if len(channel_id.encode()) > _MAX_LENGTH:
        raise ConfigError(f"channel ID illegal, cannot be longer than {_MAX_LENGTH}")
    if not _CHANNEL_ID.fullmatch(channel_id):
        raise ConfigError(f"'{channel_id}' contains illegal characters")


def check_config_id(config_id: str) -> None:
    """Raise ConfigError unless *config_id* may be a key of the configuration tree."""
    if not config_id:
        raise ConfigError("config ID illegal, cannot be empty")
    if len(config_id.encode()) > _MAX_LENGTH:
        raise ConfigError(f"config ID illegal, cannot be longer than {_MAX_LENGTH}")
    if config_id in (".", ".."):
        raise ConfigError(f"name '{config_id}' for config ID is not allowed")
    if not _CONFIG_ID.fullmatch(config_id):
        raise ConfigError(f"config ID '{config_id}' contains illegal characters")


def check_mod_policy(mod_policy: str) -> None:
    """Raise ConfigError unless *mod_policy* is a possible policy path."""
    if not mod_policy:
        raise ConfigError("mod_policy not set")
    for index, element in enumerate(mod_policy.removeprefix("/").split("/")):
        try:
            check_config_id(element)
        except ConfigError as error:
            raise ConfigError(f"path element at {index} is invalid: {error}") from error
