"""Collecting the files of a chaincode project for its code package (fabric-wire.md §3.1).

The same files that Fabric's command line packs, found without any toolchain: a Go module is
recognised by its ``go.mod``, a folder without one is packed as part of a GOPATH.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from treadle_fabric.packages.archive import write_archive
from treadle_fabric.packages.checks import check_code_package, java_accepts
from treadle_fabric.packages.errors import PackageFormatError
from treadle_fabric.packages.languages import GOLANG, JAVA, NODE, PYTHON, language_number

_METADATA = "META-INF"
_INDEX_NAME = re.compile(
    r"META-INF/statedb/couchdb/(collections/[A-Za-z0-9_-]+/)?indexes/.*[.]json"
)
_MODULE_LINE = re.compile(r"^\s*module\s+(\"[^\"]+\"|`[^`]+`|[^\s/]\S*)", re.MULTILINE)
_MODULES = "node_modules"
_SKIPPED_FOLDERS = {
    NODE: {_MODULES, ".git"},
    JAVA: {"target", "build", "out", ".git"},
    PYTHON: {"__pycache__", ".venv", "venv", ".git"},
}
_SKIPPED_ENDINGS = {NODE: (), JAVA: (".class",), PYTHON: (".pyc",)}


@dataclass(frozen=True, slots=True)
class PackedSource:
    """A project's code package and the path that goes with it (Go: the import path)."""

    path: str
    code: bytes


def pack_source(
    *,
    language: str,
    source: Path,
    path: str = "",
    legacy: bool = False,
    dependencies: bool = False,
) -> PackedSource:
    """Pack the project in folder *source*.

    *path* is what the package names as its path; for a Go module it is replaced by the import
    path, for a Go folder without module it must be the import path. A *legacy* Java package
    leaves out what Fabric's install refuses (README, wrapper scripts). *dependencies* keeps
    ``node_modules``, which Fabric's command line leaves out. Raises PackageFormatError.
    """
    language_number(language)
    if not source.is_dir():
        raise PackageFormatError(f"path to chaincode does not exist: {source}")
    language = language.lower()
    if language == GOLANG:
        path, files = _go_files(source.resolve(), path)
    elif language in _SKIPPED_FOLDERS:
        files = _folder_files(source.resolve(), language, dependencies=dependencies)
    else:
        raise PackageFormatError(f"{language} sources cannot be packed")
    if language == JAVA and legacy:
        files = {name: file for name, file in files.items() if java_accepts(name)}
    if not files:
        raise PackageFormatError(f"no source files found in '{source}'")
    code = write_archive({name: _read(name, file) for name, file in files.items()})
    if legacy:
        check_code_package(language, code)
    return PackedSource(path=path, code=code)


def _folder_files(root: Path, language: str, *, dependencies: bool) -> dict[str, Path]:
    files: dict[str, Path] = {}
    skipped = _SKIPPED_FOLDERS[language] - ({_MODULES} if dependencies else set())
    for file in _walk(root, lambda folder: folder.name not in skipped):
        relative = file.relative_to(root)
        if file.name.endswith(_SKIPPED_ENDINGS[language]):
            continue
        if relative.parts[0] != _METADATA:
            files[f"src/{relative.as_posix()}"] = file
        elif not file.name.startswith("."):
            files[relative.as_posix()] = file
    return files


def _go_files(source: Path, path: str) -> tuple[str, dict[str, Path]]:
    module = _module_root(source)
    if module is None:
        if not path:
            raise PackageFormatError(
                f"{source} holds no go.mod: add one, or give the import path of the chaincode"
            )
        prefix, root = f"src/{path.strip('/')}", source
    else:
        path = _import_path(module, source)
        prefix, root = "src", module
    files: dict[str, Path] = {}
    metadata = source / _METADATA
    for file in _walk(root, lambda folder: not folder.name.startswith(".")):
        if metadata in file.parents:
            if not file.name.startswith("."):
                files[f"{_METADATA}/{file.relative_to(metadata).as_posix()}"] = file
        else:
            files[f"{prefix}/{file.relative_to(root).as_posix()}"] = file
    return path, files


def _module_root(source: Path) -> Path | None:
    for folder in (source, *source.parents):
        if (folder / "go.mod").is_file():
            return folder
    return None


def _import_path(module: Path, source: Path) -> str:
    text = (module / "go.mod").read_text(encoding="utf-8")
    found = _MODULE_LINE.search(text)
    if not found:
        raise PackageFormatError(f"{module / 'go.mod'} has no module line")
    relative = source.relative_to(module).as_posix()
    name = found.group(1).strip('"`')
    return name if relative == "." else f"{name}/{relative}"


def _walk(root: Path, enter: Callable[[Path], bool]) -> Iterator[Path]:
    for current, folders, names in os.walk(root):
        folder = Path(current)
        folders[:] = sorted(name for name in folders if _is_entered(folder / name, enter))
        yield from (_regular(root, folder / name) for name in sorted(names))


def _is_entered(folder: Path, enter: Callable[[Path], bool]) -> bool:
    if not enter(folder):
        return False
    if folder.is_symlink():
        raise PackageFormatError(f"{folder} is a link to a folder; packages hold only files")
    return True


def _regular(root: Path, file: Path) -> Path:
    target = file.resolve()
    if not target.is_file():
        raise PackageFormatError(f"{file} is no regular file")
    if not target.is_relative_to(root):
        raise PackageFormatError(f"{file} is a link that leaves {root}")
    return file


def _read(name: str, file: Path) -> bytes:
    content = file.read_bytes()
    if name.startswith(f"{_METADATA}/"):
        _check_metadata(name, content)
    return content


def _check_metadata(name: str, content: bytes) -> None:
    if not _INDEX_NAME.match(name):
        folder = name.rpartition("/")[0]
        raise PackageFormatError(f"metadata file path or name is not supported: {folder}/")
    try:
        definition = json.loads(content)
    except (ValueError, RecursionError):
        definition = None
    if not isinstance(definition, dict):
        raise PackageFormatError(f"Index metadata file [{name}] is not a valid JSON")
    if not isinstance(definition.get("index"), dict):
        raise PackageFormatError(f"Index metadata file [{name}] is not a valid index definition")
