"""From a package's source to a folder of files, and from there to the package's bytes."""

from __future__ import annotations

import hashlib
import io
import tarfile
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urlsplit

from treadle_fabric.packages import PackageFormatError, build_legacy_package

from treadle_cli.play.models import PackageModel
from treadle_cli.play.problems import PlayError


def build_package(
    package: PackageModel, *, config_maps: Mapping[str, Mapping[str, str]], scratch: Path
) -> bytes:
    """The package's CDS bytes; *scratch* is an empty folder of ours. Raises PlayError."""
    folder = _folder(package, config_maps=config_maps, scratch=scratch)
    try:
        return build_legacy_package(
            name=package.name,
            version=package.version,
            language=package.language,
            path=package.name,
            source=folder,
        )
    except (PackageFormatError, OSError) as error:
        raise PlayError(f"ChaincodePackage {package.resource}: {error}") from error


def _folder(
    package: PackageModel, *, config_maps: Mapping[str, Mapping[str, str]], scratch: Path
) -> Path:
    source = package.source
    if source.archive:
        return _archive(package, scratch)
    files = source.files if source.files is not None else config_maps[source.config_map]
    _write(package, files, scratch)
    return scratch


def _write(package: PackageModel, files: Mapping[str, str], folder: Path) -> None:
    for name, content in files.items():
        if leaves_folder(name):
            raise PlayError(
                f"ChaincodePackage {package.resource}: the file name {name!r} leaves the folder"
            )
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(content, encoding="utf-8")


def _archive(package: PackageModel, scratch: Path) -> Path:
    """A folder as it is, or an unpacked tar.gz."""
    who = f"ChaincodePackage {package.resource}"
    path = archive_path(package)
    if path.is_dir():
        return path
    try:
        content = path.read_bytes()
    except OSError as error:
        raise PlayError(f"{who}: cannot read {path}: {error.strerror}") from error
    found = hashlib.sha256(content).hexdigest()
    if package.source.sha256 and found != package.source.sha256.lower():
        raise PlayError(f"{who}: {path} has sha256 {found}, not {package.source.sha256}")
    try:
        with tarfile.open(fileobj=io.BytesIO(content), mode="r:gz") as archive:
            archive.extractall(scratch, filter="data")
    except (tarfile.TarError, OSError, EOFError) as error:
        raise PlayError(f"{who}: {path} is no usable tar.gz: {error}") from error
    return _only_folder(scratch)


def _only_folder(folder: Path) -> Path:
    """Archives often hold one folder around everything."""
    entries = list(folder.iterdir())
    return entries[0] if len(entries) == 1 and entries[0].is_dir() else folder


def leaves_folder(name: str) -> bool:
    """Whether a file of that name would lie outside of the package."""
    relative = PurePosixPath(name)
    return relative.is_absolute() or ".." in relative.parts


def archive_path(package: PackageModel) -> Path:
    """Where ``archive.url`` points, seen from the YAML file; raises PlayError for downloads."""
    return package.document.file.parent / local_path(package.source.archive)


def local_path(url: str) -> Path:
    """The path that ``archive.url`` names; raises PlayError for anything to be downloaded."""
    parts = urlsplit(url)
    if parts.scheme in ("", "file"):
        return Path(unquote(parts.path))
    raise PlayError(f"play downloads nothing; make {url} a path or a file: URL")
