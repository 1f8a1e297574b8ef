"""Errors of the configuration: one line that names the key, its value and the remedy."""

from __future__ import annotations


class ConfigurationError(Exception):
    """The peer cannot start as configured. ``str()`` is one line, ready for the terminal."""

    def __init__(self, key: str, value: object, remedy: str) -> None:
        self.key = key
        self.value = value
        self.remedy = remedy
        shown = " ".join(repr(value).split())
        super().__init__(f"configuration: {key} is {shown}: {' '.join(remedy.split())}")
