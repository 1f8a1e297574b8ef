"""The two operating modes: the peer's default and exceptions per chaincode (design §1)."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum


class Mode(Enum):
    """Who owns the chaincode process."""

    PRODUCTION = "production"
    DEVELOPMENT = "development"

    @property
    def owner(self) -> str:
        """How the registry calls the owner of a process in this mode."""
        return "managed" if self is Mode.PRODUCTION else "development"


class Modes:
    """The mode of every ccid."""

    def __init__(self, default: Mode, exceptions: Mapping[str, Mode] | None = None) -> None:
        self._default = default
        self._exceptions = dict(exceptions or {})

    def of(self, ccid: str) -> Mode:
        """The mode that holds for *ccid*."""
        return self._exceptions.get(ccid, self._default)

    @property
    def development_anywhere(self) -> bool:
        """Whether some chaincode, known or not yet, may be started by hand."""
        return Mode.DEVELOPMENT in {self._default, *self._exceptions.values()}

    def set(self, ccid: str, mode: Mode | None) -> None:
        """Make an exception for *ccid*; ``None`` takes it back."""
        if mode is None:
            self._exceptions.pop(ccid, None)
        else:
            self._exceptions[ccid] = mode
