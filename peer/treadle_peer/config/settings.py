"""Typed reading of one setting, each failure naming key, value and remedy."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from treadle_fabric.wire import parse_duration

from treadle_peer.config.errors import ConfigurationError
from treadle_peer.config.source import Source

_TRUE = frozenset({"1", "t", "true"})
_FALSE = frozenset({"0", "f", "false"})
_LARGEST_NUMBER = 2**31 - 1  # what gRPC's options hold
_LONGEST_PATH = 4095  # bytes, with names of 255: Linux
_PORT = re.compile("[0-9]{1,5}")


@dataclass(frozen=True, slots=True)
class Settings:
    """Typed access to a Source; every method raises ConfigurationError on a wrong value."""

    source: Source

    def given(self, key: str) -> bool:
        """Whether the user set *key*, in the file or the environment."""
        return key.lower() in self.source.values

    def wrong(self, key: str, remedy: str) -> ConfigurationError:
        """The error for the present value of *key*."""
        low = key.lower()
        name = self.source.names.get(low, key)
        return ConfigurationError(name, self.source.values.get(low, ""), remedy)

    def text(self, key: str, default: str) -> str:
        """A string; numbers and booleans in the file become their YAML text."""
        value = self.source.values.get(key.lower(), default)
        if isinstance(value, list):
            raise self.wrong(key, "write one value, not a list")
        text = str(value)
        if not _is_unicode(text):
            raise self.wrong(key, "write text that UTF-8 can carry")
        return text

    def flag(self, key: str, default: bool) -> bool:
        """A boolean, also in Go's spellings."""
        value = self.source.values.get(key.lower(), default)
        if isinstance(value, bool):
            return value
        low = str(value).lower()
        if low not in _TRUE | _FALSE:
            raise self.wrong(key, "write true or false")
        return low in _TRUE

    def number(
        self, key: str, default: int, *, minimum: int = 0, maximum: int = _LARGEST_NUMBER
    ) -> int:
        """A whole number from *minimum* to *maximum*."""
        value = self.source.values.get(key.lower(), default)
        try:
            number = int(str(value), 0)
        except ValueError:
            raise self.wrong(key, "write a whole number") from None
        if number < minimum:
            raise self.wrong(key, f"write a number of at least {minimum}")
        if number > maximum:
            raise self.wrong(key, f"write a number of at most {maximum}")
        return number

    def duration(self, key: str, default: float) -> float:
        """Seconds of a Go duration that is not negative."""
        if not self.given(key):
            return default
        try:
            seconds = parse_duration(self.text(key, "").strip())
        except ValueError:
            remedy = "write a duration with its unit, such as 300ms, 30s, 5m or 1h30m"
            raise self.wrong(key, remedy) from None
        if seconds < 0:
            raise self.wrong(key, "write a duration that is not negative")
        return seconds

    def choice(self, key: str, default: str, allowed: Sequence[str]) -> str:
        """One of *allowed*, exactly as spelt there."""
        value = self.text(key, default)
        if value not in allowed:
            raise self.wrong(key, f"write {' or '.join(allowed)}")
        return value

    def path(self, key: str) -> Path | None:
        """An absolute path; relative ones start at the folder of core.yaml."""
        text = self.text(key, "")
        return self._path(key, text) if text else None

    def paths(self, key: str) -> tuple[Path, ...]:
        """A YAML list of paths, or names separated by blanks in the environment."""
        return tuple(self._path(key, name) for name in self.texts(key))

    def texts(self, key: str) -> tuple[str, ...]:
        """A YAML list of strings, or strings separated by blanks in the environment."""
        value = self.source.values.get(key.lower(), [])
        return tuple(map(str, value) if isinstance(value, list) else str(value).split())

    def _path(self, key: str, text: str) -> Path:
        if not _is_unicode(text) or not _is_path(text):
            raise self.wrong(key, "no file can have this name")
        return self.source.folder / text

    def address(self, key: str, default: str) -> str:
        """``host:port``; the port may be 0 (any free one), the host empty (all interfaces)."""
        value = self.text(key, default)
        host, separator, port = value.rpartition(":")
        if (
            not separator
            or not _PORT.fullmatch(port)
            or int(port) > 65535
            or (":" in host.strip("[]") and host[:1] != "[")
        ):
            raise self.wrong(key, "write host:port, for example 0.0.0.0:7051")
        return value


def _is_unicode(text: str) -> bool:
    # YAML's escapes can make lone surrogates.
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _is_path(text: str) -> bool:
    names = text.encode().split(b"/")
    return "\0" not in text and len(text) <= _LONGEST_PATH and max(map(len, names)) <= 255
