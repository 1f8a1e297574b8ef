"""The one error of this package."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


class ConfigError(Exception):
    """A channel configuration or an update of it that Fabric would refuse, with Fabric's text."""


@contextmanager
def config_prefix(prefix: str) -> Iterator[None]:
    """Put *prefix* and a colon before the text of a ConfigError that passes."""
    try:
        yield
    except ConfigError as error:
        raise ConfigError(f"{prefix}: {error}") from error
