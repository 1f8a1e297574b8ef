"""The folder with one peer's builds: what is finished survives a power loss, what is old goes.

``<folder>/<key>/`` holds one build and, once all of it is on disk, a mark; a folder without it is
what a crash or a failure left. Kept is what a channel's definition or a launch needs, and the
``SPARE`` builds that were used last: an instantiation is often tried more than once.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import os
import shutil
from collections.abc import Callable, Collection, Iterable, Iterator
from pathlib import Path
from typing import Final

from treadle_fabric.durable import make_folder, sync_folder, sync_tree
from treadle_fabric.identity.files import write_public

from treadle_peer.execution import InstalledPackage, PackageError, PackageStore

SPARE: Final = 4
"""How many builds that nothing needs are kept."""

_LOG = logging.getLogger(__name__)
_GONE: Final = ".gone-"


class Shelf:
    """All builds of one peer. Its methods are called on one loop, but for ``finish``."""

    def __init__(self, folder: Path, *, mark: str) -> None:
        """*mark* is the name of the file that says that a build is finished."""
        self._folder = folder
        self._mark = mark
        self._keys: dict[str, str] = {}
        self._codes: dict[str, str] = {}
        self._tidied: frozenset[str] = frozenset()
        make_folder(folder)
        for left in folder.glob(f"{_GONE}*"):
            shutil.rmtree(left, ignore_errors=True)

    def place(self, package: InstalledPackage, *circumstances: str) -> Path:
        """The folder of *package*'s build, there or not.

        *circumstances* is whatever else shapes the result: another one is another build.
        """
        code = self._codes[package.ccid] = _code(package)
        made = hashlib.sha256("\0".join(circumstances).encode()).hexdigest()[:16]
        self._keys[package.ccid] = f"{code}-{made}"
        return self._folder / self._keys[package.ccid]

    def finished(self, place: Path) -> bool:
        """Whether a whole build is there; it counts as used now."""
        there = (place / self._mark).exists()
        if there:
            os.utime(place)
        return there

    def finish(self, place: Path, told: bytes = b"") -> None:
        """All of *place* is built: durably so, from now on. Blocks; raises OSError."""
        sync_tree(place)
        write_public(place / self._mark, told)

    async def tidy(self, needed: Callable[[], Iterable[str]], packages: PackageStore) -> None:
        """Remove what none of the ccids *needed* has, but for the newest ``SPARE``."""
        if self._entries() == self._tidied:
            return
        await asyncio.to_thread(self._learn, list(needed()), packages)
        gone = self._put_aside(set(needed()))  # a launch may have begun meanwhile
        self._tidied = self._entries()
        for folder in gone:
            await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)

    def _entries(self) -> frozenset[str]:
        found = (each for each in self._folder.iterdir() if each.is_dir())
        return frozenset(each.name for each in found if not each.name.startswith(_GONE))

    def _learn(self, wanted: Iterable[str], packages: PackageStore) -> None:
        """Of chaincode that did not run since the peer's start only the package is known."""
        for ccid in wanted:
            if ccid not in self._codes:
                name, _, version = ccid.partition(":")
                try:
                    self._codes[ccid] = _code(packages.get(name, version))
                except PackageError:
                    continue  # defined by others, not to be run here

    def _put_aside(self, wanted: Collection[str]) -> list[Path]:
        """Make what may go no build any more, at once and durably."""
        newest = sorted(self._entries(), key=self._used, reverse=True)
        kept = set(self._kept(wanted, newest))
        spare = [name for name in newest if name not in kept]
        gone: list[Path] = []
        for name in spare[SPARE:]:
            _LOG.info("Removing the build %s, which nothing needs any more", name)
            gone.append((self._folder / name).rename(self._folder / f"{_GONE}{name}"))
        if gone:
            # Half of a build with its mark must not come back with the power.
            sync_folder(self._folder)
        return gone

    def _kept(self, wanted: Collection[str], newest: list[str]) -> Iterator[str]:
        for ccid in wanted:
            if (key := self._keys.get(ccid)) is not None:
                yield key
            elif (code := self._codes.get(ccid)) is not None:
                yield from [name for name in newest if name.startswith(f"{code}-")][:1]

    def _used(self, name: str) -> float:
        return (self._folder / name).stat().st_mtime


def _code(package: InstalledPackage) -> str:
    head = f"{package.language}\0{package.path}".encode()
    return hashlib.sha256(hashlib.sha256(package.code).digest() + head).hexdigest()[:40]
