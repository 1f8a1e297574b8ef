"""Tar archives that engines unpack in containers, and what they give back."""

from __future__ import annotations

import io
import os
import shutil
import tarfile
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from treadle_peer.chaincode.recipes import CarryingError

_USER = 10001


def write_folder(folder: Path, archive: BinaryIO, *, name: str) -> None:
    """All of *folder* under the absolute path *name*, owned by who runs in containers."""
    with tarfile.open(fileobj=archive, mode="w", format=tarfile.PAX_FORMAT) as tar:
        tar.add(folder, arcname=name.lstrip("/"), filter=_owned)


def small_files(files: Mapping[str, bytes], *, folders: tuple[str, ...]) -> bytes:
    """*folders* and private *files* by their absolute path, owned by who runs in containers."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for name in folders:
            info = _owned(tarfile.TarInfo(name.lstrip("/")))
            info.type, info.mode = tarfile.DIRTYPE, 0o755
            tar.addfile(info)
        for name, content in files.items():
            info = _owned(tarfile.TarInfo(name.lstrip("/")))
            info.size, info.mode = len(content), 0o400
            tar.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


def take_folder(archive: BinaryIO, target: Path, *, most: int) -> None:
    """Unpack below *target* what an engine gave of one folder: at most *most* bytes of files.

    A build ran code of strangers: raises CarryingError for what is neither file nor folder nor a
    link that stays inside. Nothing is written through a link: they are made last. Hard links, which
    native modules of Node are built with, become files of their own.
    """
    links: list[tuple[str, str]] = []
    size = 0
    try:
        with tarfile.open(fileobj=archive, mode="r|") as tar:
            for member in tar:
                inside = _inside(member.name)
                if member.issym():
                    links.append((str(inside), member.linkname))
                elif member.isdir() or member.isreg():
                    size += member.size
                    _bound(size, most)
                    _take(tar, member, target / _safe(inside))
                elif member.islnk():
                    known = target / _safe(_inside(member.linkname))
                    size += known.stat().st_size
                    _bound(size, most)
                    shutil.copy(known, target / _safe(inside))
                else:
                    raise CarryingError(f"the build left {member.name}, which is no file")
        for name, leads_to in links:
            _link(target, name, leads_to)
    except (tarfile.TarError, UnicodeError, OSError, EOFError) as error:
        raise CarryingError(f"what the build left cannot be taken: {error}") from error


def _take(tar: tarfile.TarFile, member: tarfile.TarInfo, path: Path) -> None:
    if member.isdir():
        path.mkdir(parents=True, exist_ok=True)
        return
    source = tar.extractfile(member)
    assert source is not None  # noqa: S101 - it is a regular file
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as sink:
        while chunk := source.read(1 << 20):
            sink.write(chunk)
    path.chmod(0o755 if member.mode & 0o100 else 0o644)


def _link(target: Path, name: str, leads_to: str) -> None:
    target = target.resolve()
    path = target / _safe(PurePosixPath(name))
    inside = Path(os.path.normpath(path.parent / leads_to))
    behind = path.parent.resolve() != path.parent
    if behind or leads_to.startswith("/") or not inside.is_relative_to(target):
        raise CarryingError(f"the build left {name}, a link to {leads_to}, which leads out of it")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.symlink_to(leads_to)


def _inside(name: str) -> PurePosixPath:
    """Seen from the folder that was asked for."""
    return PurePosixPath(*PurePosixPath(name).parts[1:])


def _bound(size: int, most: int) -> None:
    if size > most:
        raise CarryingError(f"the build left more than {most} bytes of files")


def _safe(name: PurePosixPath) -> PurePosixPath:
    if name.is_absolute() or ".." in name.parts:
        raise CarryingError(f"the build left the illegal name {name}")
    return name


def _owned(info: tarfile.TarInfo) -> tarfile.TarInfo:
    info.uid = info.gid = _USER
    info.uname = info.gname = ""
    return info
