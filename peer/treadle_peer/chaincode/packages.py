"""The installed legacy packages, as files with Fabric's layout (fabric-wire.md §3.2).

``<folder>/<name>.<version>`` holds the bytes given to install. A file is there whole or not at
all, also after a crash in the middle of an install.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

from treadle_fabric.durable import make_folder, sync_folder, write_file
from treadle_fabric.packages import (
    CHAINCODE_NAME,
    CHAINCODE_VERSION,
    IMAGE,
    SERVER,
    ChaincodePackage,
    PackageFormatError,
    check_code_package,
    check_name_and_version,
    parse_legacy_package,
)

from treadle_peer.execution import InstalledPackage, PackageError, PackageRow

_LOG = logging.getLogger(__name__)
_LAUNCHABLE: Final = frozenset({"golang", "node", "java", "python", IMAGE, SERVER})
_TEMPORARY: Final = ".installing-"
_CACHE_BYTES: Final = 64 * 1024 * 1024


_Stamp = tuple[int, int, int]
"""What a file looked like when it was read."""


@dataclass(frozen=True, slots=True)
class _Cached:
    """A package as last read."""

    stamp: _Stamp
    package: InstalledPackage


@dataclass(frozen=True, slots=True)
class _Listed:
    """What a list says of a file; no row: it is no package."""

    stamp: _Stamp
    row: PackageRow | None


class FilePackageStore:
    """Implements ``execution.PackageStore`` on one folder. Safe to use from several threads."""

    def __init__(self, folder: Path) -> None:
        """*folder* (``<fileSystemPath>/chaincodes``) is made; half-written files are removed."""
        self._folder = folder
        self._lock = threading.Lock()
        self._cache: dict[str, _Cached] = {}
        # Lists must not read every package anew when they are more than the cache holds.
        self._rows: dict[str, _Listed] = {}
        make_folder(folder)
        for leftover in folder.glob(f"{_TEMPORARY}*"):
            leftover.unlink()
        # A package that a killed process put in place counts as installed from now on.
        sync_folder(folder)

    def install(self, raw: bytes) -> InstalledPackage:
        """Store *raw*; raises PackageError with Fabric's text when unreadable or present.

        The name rules are lscc's (fabric-wire.md §3.4), the rules for the code those of the
        language (§2.6), which a peer that builds must insist on.
        """
        package = _parse(raw)
        _check_identifiers(package)
        if package.language in _LAUNCHABLE:
            _check_code(package)
        path = self._folder / f"{package.name}.{package.version}"
        with self._lock:
            if path.exists():
                raise PackageError(
                    f"error installing chaincode code {package.name}:{package.version}"
                    f"(chaincode {path} exists)"
                )
            write_file(path, raw, mode=0o644, draft=_TEMPORARY)
        return _installed(package)

    def get(self, name: str, version: str) -> InstalledPackage:
        """See PackageStore."""
        refusal = f"cannot get package for chaincode ({name}:{version})"
        if not (CHAINCODE_NAME.fullmatch(name) and CHAINCODE_VERSION.fullmatch(version)):
            raise PackageError(refusal)
        file = f"{name}.{version}"
        try:
            package = self._read(file)
        except FileNotFoundError as error:
            text = f"open {self._folder / file}: no such file or directory"
            raise PackageError(text) from error
        except (OSError, PackageFormatError) as error:
            raise PackageError(refusal) from error
        if (package.name, package.version) != (name, version):
            raise PackageError(refusal)
        return package

    def open(self, name: str, version: str) -> BinaryIO:
        """The bytes that were given to install, for who does not want them whole in memory.

        Raises PackageError or OSError, as ``get`` finds first.
        """
        self.get(name, version)
        return (self._folder / f"{name}.{version}").open("rb")

    def installed(self) -> Sequence[PackageRow]:
        """All packages, ordered by name, then version.

        What is no package, or holds another one than its name says, is skipped and logged, once
        for each state of its file.
        """
        found = {path.name: self._listed(path) for path in self._folder.iterdir()}
        with self._lock:
            self._rows = {name: listed for name, listed in found.items() if listed is not None}
        rows = [listed.row for listed in found.values() if listed is not None and listed.row]
        return sorted(rows, key=lambda row: (row.name, row.version))

    def _listed(self, path: Path) -> _Listed | None:
        """None for what cannot be read now."""
        try:
            stamp = _stamp(path)
            with self._lock:
                known = self._rows.get(path.name)
            if known is not None and known.stamp == stamp:
                return known
            return _Listed(stamp, self._row(path))
        except OSError as error:
            _LOG.warning("Skipping %s: %s", path, error)
            return None

    def _row(self, path: Path) -> PackageRow | None:
        """None for what is no package; raises OSError."""
        name, dot, version = path.name.partition(".")
        if not (name and dot) or not path.is_file():
            return None
        try:
            package = self._read(path.name)
        except PackageFormatError as error:
            _LOG.warning("Skipping %s: %s", path, error)
            return None
        if (package.name, package.version) != (name, version):
            _LOG.error(
                "Chaincode file's name/version has been modified on the filesystem: %s", path.name
            )
            return None
        return PackageRow(name=name, version=version, path=package.path, id=package.id)

    def _read(self, file_name: str) -> InstalledPackage:
        path = self._folder / file_name
        stamp = _stamp(path)
        with self._lock:
            cached = self._cache.get(file_name)
        if cached is not None and cached.stamp == stamp:
            return cached.package
        package = _installed(parse_legacy_package(path.read_bytes()))
        self._remember(file_name, _Cached(stamp, package))
        return package

    def _remember(self, file_name: str, entry: _Cached) -> None:
        with self._lock:
            self._cache.pop(file_name, None)
            self._cache[file_name] = entry
            size = sum(len(cached.package.raw) for cached in self._cache.values())
            while size > _CACHE_BYTES and len(self._cache) > 1:
                size -= len(self._cache.pop(next(iter(self._cache))).package.raw)


def _stamp(path: Path) -> _Stamp:
    status = path.stat()
    return status.st_ino, status.st_mtime_ns, status.st_size


def _parse(raw: bytes) -> ChaincodePackage:
    try:
        return parse_legacy_package(raw)
    except PackageFormatError as error:
        raise PackageError(str(error)) from error


def _check_identifiers(package: ChaincodePackage) -> None:
    try:
        check_name_and_version(package.name, package.version)
    except PackageFormatError as error:
        raise PackageError(str(error)) from error


def _check_code(package: ChaincodePackage) -> None:
    try:
        check_code_package(package.language, package.code)
    except PackageFormatError as error:
        raise PackageError(str(error)) from error


def _installed(package: ChaincodePackage) -> InstalledPackage:
    return InstalledPackage(
        name=package.name,
        version=package.version,
        path=package.path,
        language=package.language,
        raw=package.raw,
        deployment_spec=package.deployment_spec,
        code=package.code,
        data=package.data,
        id=package.id,
        instantiation_policy=package.instantiation_policy,
    )
