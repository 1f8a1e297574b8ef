"""The output of a build as one file: a plain tar, the same bytes for the same files everywhere.

Sorted names, no times, no owners, two modes. Links are kept where they stay inside: npm makes
them. Reading trusts nobody: a build ran code of strangers.
"""

from __future__ import annotations

import io
import os
import posixpath
import shutil
import stat
import tarfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import BinaryIO, Final

_EXECUTABLE: Final = 0o755
_PLAIN: Final = 0o644


class CarryingError(Exception):
    """Something cannot be part of an output, or an output is not as ``pack`` makes them."""


def pack(files: Mapping[str, Path], texts: Mapping[str, str], target: Path) -> None:
    """Write *files* (files or whole folders by their name inside) and *texts* to *target*.

    Raises CarryingError for links that lead out and for what is no file, and OSError.
    """
    entries = sorted(entry for name, path in files.items() for entry in _walk(name, path))
    with tarfile.open(target, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for name, path in entries:
            _add(archive, name, path)
        for name, text in sorted(texts.items()):
            content = text.encode()
            archive.addfile(_info(name, tarfile.REGTYPE, _EXECUTABLE, len(content)), _io(content))


def unpack(archive: BinaryIO, target: Path) -> None:
    """Put the content of *archive* below *target*, which is made anew.

    Raises CarryingError, with everything removed, for what ``pack`` would not have written.
    """
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    try:
        _unpack(archive, target)
    except (tarfile.TarError, UnicodeError, ValueError, EOFError, FileExistsError) as error:
        shutil.rmtree(target)
        raise CarryingError(f"the output is no archive of ours: {error}") from error
    except (CarryingError, NotADirectoryError, IsADirectoryError) as error:
        shutil.rmtree(target)
        raise CarryingError(str(error)) from error


def _unpack(file: BinaryIO, target: Path) -> None:
    links: list[tarfile.TarInfo] = []
    with tarfile.open(fileobj=file, mode="r:") as archive:
        for member in archive:
            path = target / _safe(member.name)
            if member.isdir():
                path.mkdir(parents=True, exist_ok=True)
            elif member.isreg() and not member.issparse():
                _write(archive, member, path)
            elif member.issym():
                links.append(member)
            else:
                raise CarryingError(f"{member.name} in the output is neither file nor folder")
    # Last, so that nothing is ever written through one; not even another one.
    root = target.resolve()
    for link in links:
        _check_link(link.name, link.linkname)
        place = root / link.name
        if place.parent.resolve() != place.parent:
            raise CarryingError(f"{link.name} in the output lies behind a link")
        place.parent.mkdir(parents=True, exist_ok=True)
        place.symlink_to(link.linkname)


def _write(archive: tarfile.TarFile, member: tarfile.TarInfo, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    source = archive.extractfile(member)
    assert source is not None  # noqa: S101 - it is a regular file
    with path.open("xb") as sink:
        shutil.copyfileobj(source, sink)
    path.chmod(_EXECUTABLE if member.mode & 0o100 else _PLAIN)


def _walk(name: str, path: Path) -> Iterator[tuple[str, Path]]:
    yield name, path
    if path.is_dir() and not path.is_symlink():
        for folder, folders, files in os.walk(path):
            for one in (*folders, *files):
                found = Path(folder) / one
                yield f"{name}/{found.relative_to(path).as_posix()}", found


def _add(archive: tarfile.TarFile, name: str, path: Path) -> None:
    state = path.lstat()
    mode = _EXECUTABLE if state.st_mode & 0o100 else _PLAIN
    if stat.S_ISLNK(state.st_mode):
        info = _info(name, tarfile.SYMTYPE, 0o777, 0)
        info.linkname = os.readlink(path)
        _check_link(name, info.linkname)
        archive.addfile(info)
    elif stat.S_ISDIR(state.st_mode):
        archive.addfile(_info(name, tarfile.DIRTYPE, _EXECUTABLE, 0))
    elif stat.S_ISREG(state.st_mode):
        with path.open("rb") as file:
            archive.addfile(_info(name, tarfile.REGTYPE, mode, state.st_size), file)
    else:
        raise CarryingError(f"the build left {path}, which is neither file nor folder nor link")


def _info(name: str, kind: bytes, mode: int, size: int) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.mode, info.size = kind, mode, size
    return info


def _io(content: bytes) -> BinaryIO:
    return io.BytesIO(content)


def _safe(name: str) -> str:
    if name.startswith("/") or ".." in name.split("/") or "\0" in name:
        raise CarryingError(f"the output has the illegal name {name!r}")
    return name


def _check_link(name: str, leads_to: str) -> None:
    _safe(name)
    inside = posixpath.normpath(posixpath.join(posixpath.dirname(name), leads_to))
    if leads_to.startswith("/") or inside == ".." or inside.startswith("../"):
        raise CarryingError(f"{name} in the output is a link to {leads_to}, which leads out of it")
