"""The system calls that change what a disk holds, as the model of a power loss takes them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One successful system call; *begun* and *ended* in ns of one clock."""

    begun: int
    ended: int
    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened(Call):
    """A file opened for writing at its begin; made when missing."""

    truncate: bool = False
    append: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class MadeFolder(Call):
    """mkdir."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Written(Call):
    """write (*offset* None: where the last one ended) or pwrite."""

    data: bytes
    offset: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Copied(Call):
    """sendfile from the begin of *source* on, by another call where the last one ended."""

    source: str
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Resized(Call):
    """truncate, or fallocate that makes a file longer (*grow*)."""

    size: int
    grow: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Renamed(Call):
    """*path* becomes *target*."""

    target: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Linked(Call):
    """*target* becomes a second name of *path*."""

    target: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Removed(Call):
    """unlink or rmdir."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Synced(Call):
    """fsync or fdatasync of a file or a folder."""
