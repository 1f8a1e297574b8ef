"""What a language's builder says: the commands that build, the one that starts."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, TypeVar

from treadle_fabric.packages import IMAGE, SERVER

from treadle_peer.execution import InstalledPackage

_T = TypeVar("_T")
_NAMED = {IMAGE: "an image", SERVER: "a chaincode server"}


class BuildError(Exception):
    """The chaincode cannot be built; the text says why and, where it can, what to do."""


def builder_of(package: InstalledPackage, builders: Mapping[str, _T]) -> _T:
    """What builds packages of this language. Raises BuildError where nothing can build it."""
    builder = builders.get(package.language)
    if package.language in _NAMED:
        raise BuildError(
            f"the package of {package.ccid} only names {_NAMED[package.language]}, which this peer "
            "cannot run by itself: that takes an operator (treadle.chaincode.launcher: operator)"
        )
    if builder is None:
        raise BuildError(f"unknown chaincodeType: {package.language.upper()}")
    if not package.code:
        raise BuildError(
            f"the package of {package.ccid} holds no code: it was made in development mode; "
            "install one with code under another version, or run the peer in development mode"
        )
    return builder


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """The folders of one build. The code package lies unpacked in ``package`` (src/, META-INF/);
    ``output`` exists and is empty."""

    package: Path
    output: Path

    @property
    def source(self) -> Path:
        """The project itself."""
        return self.package / "src"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One command of a build; ``environment`` comes on top of the build's own."""

    arguments: Sequence[str]
    folder: Path
    environment: Mapping[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The first words of it, for messages."""
        return " ".join([Path(self.arguments[0]).name, *self.arguments[1:3]])


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """How the built chaincode is started. ``listens``: it is a server that the peer dials."""

    arguments: Sequence[str]
    folder: Path
    listens: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """A program that must be there. ``version`` are the arguments that make it tell its version."""

    command: str
    version: Sequence[str]
    remedy: str


class Builder(Protocol):
    """Knows one language. Pure but for looking at the unpacked project."""

    @property
    def revision(self) -> str:
        """Changes when the same source would be built in another way."""

    def tools(self, names: Collection[str]) -> Sequence[Tool]:
        """The programs needed for a package with these entries; raises BuildError for none."""

    def steps(self, layout: Layout, path: str) -> Sequence[Step]:
        """The commands, in order; *path* is the package's path. Raises BuildError."""

    def start(self, layout: Layout, address: str) -> Start:
        """The start command; *address* is where the peer listens for chaincode.

        Raises BuildError when the steps did not make what is started.
        """
