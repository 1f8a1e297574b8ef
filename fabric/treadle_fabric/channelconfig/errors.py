"""The one error of this package."""


class ConfigError(Exception):
    """A channel configuration or an update of it that Fabric would refuse, with Fabric's text."""
