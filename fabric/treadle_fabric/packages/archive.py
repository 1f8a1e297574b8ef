"""Gzipped tar archives: writing them the same everywhere, reading them without trust.

Writing: sorted names, zero times and owners, mode 0644, ustar with pax records only where ustar
cannot say it, and gzip in *stored* blocks with a fixed header. No compressor is involved whose
next version might choose other bytes. Reading: streamed, bounded in size and number of entries.
"""

from __future__ import annotations

import errno
import io
import posixpath
import stat
import struct
import tarfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from treadle_fabric.packages.errors import PackageFormatError
from treadle_fabric.packages.inflating import InflateError, Inflater
from treadle_fabric.packages.tarball import TarballError, TarHeader, TarReader

MAX_UNPACKED_BYTES: Final = 512 * 1024 * 1024
MAX_ENTRIES: Final = 100_000

_GZIP_HEADER = bytes((0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 0xFF))
_STORED_BLOCK = 0xFFFF


@dataclass(frozen=True, slots=True)
class Entry:
    """One archive entry while its archive is read; ``mode`` is the header's mode field.

    ``chunks`` reads its content piece by piece, once, and only before the next entry is asked
    for.
    """

    name: str
    mode: int
    is_directory: bool
    is_file: bool
    chunks: Callable[[], Iterator[bytes]]

    def content(self) -> bytes:
        """All of it."""
        return b"".join(self.chunks())


def gzip_stored(data: bytes) -> bytes:
    """*data* in gzip format without compression: the same bytes on every machine."""
    blocks = [data[i : i + _STORED_BLOCK] for i in range(0, len(data), _STORED_BLOCK)] or [b""]
    output = bytearray(_GZIP_HEADER)
    for index, block in enumerate(blocks):
        last = index == len(blocks) - 1
        output += struct.pack("<BHH", last, len(block), len(block) ^ 0xFFFF)
        output += block
    output += struct.pack("<II", zlib.crc32(data), len(data) & 0xFFFFFFFF)
    return bytes(output)


def write_archive(files: Mapping[str, bytes], *, keep_order: bool = False) -> bytes:
    """A gzipped tar of *files* (name to content), deterministic given its input."""
    names = list(files) if keep_order else sorted(files)
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for name in names:
            info = tarfile.TarInfo(name)
            info.size = len(files[name])
            info.mode = 0o644
            archive.addfile(info, io.BytesIO(files[name]))
    return gzip_stored(buffer.getvalue())


def read_archive(data: bytes, *, what: str) -> Iterator[Entry]:
    """The entries of a gzipped tar, in order.

    Raises PackageFormatError ``<what>: ...`` for anything that is no gzip, no tar, or too big.
    """
    archive = TarReader(Inflater(data, limit=MAX_UNPACKED_BYTES).read)
    index = 0
    while (header := _next(archive, what)) is not None:
        index += 1
        if index > MAX_ENTRIES:
            raise PackageFormatError(f"{what}: more than {MAX_ENTRIES} entries")
        yield Entry(
            name=header.name,
            mode=header.mode,
            is_directory=header.is_folder,
            is_file=header.is_file,
            chunks=partial(_chunks, archive, what),
        )


def extract_code(code: bytes, target: Path) -> None:
    """Unpack *code* below *target*, which is created.

    Only files and folders; names that leave *target*, links and devices raise
    PackageFormatError. Files get mode 0644, or 0755 where the archive marks them executable.
    """
    target.mkdir(parents=True, exist_ok=True)
    for entry in read_archive(code, what="code package"):
        destination = target / safe_name(entry.name)
        if entry.is_directory:
            _make_folder(destination, entry.name)
        elif entry.is_file:
            _write_file(destination, entry)
        else:
            raise PackageFormatError(f"code package: {entry.name} is no regular file")


def safe_name(name: str) -> str:
    """*name* relative and normalised; raises PackageFormatError when it climbs out."""
    relative = name.lstrip("/")
    if "\0" in name or ".." in relative.split("/"):
        raise PackageFormatError(f"code package: illegal name {name!r}")
    return posixpath.normpath(relative)


def mode_type(mode: int) -> int:
    """The file type bits of a header's mode field, where a writer put them there."""
    return stat.S_IFMT(mode)


def _next(archive: TarReader, what: str) -> TarHeader | None:
    with _translated(what):
        return archive.next()


def _chunks(archive: TarReader, what: str) -> Iterator[bytes]:
    with _translated(what):
        yield from archive.chunks()


@contextmanager
def _translated(what: str) -> Iterator[None]:
    try:
        yield
    except (InflateError, TarballError) as error:
        raise PackageFormatError(f"{what}: {error}") from error


def _make_folder(folder: Path, name: str) -> None:
    with _placed(name):
        folder.mkdir(parents=True, exist_ok=True)


def _write_file(path: Path, entry: Entry) -> None:
    _make_folder(path.parent, entry.name)
    with _placed(entry.name), path.open("wb") as file:
        file.writelines(entry.chunks())
    path.chmod(0o755 if entry.mode & 0o111 else 0o644)


@contextmanager
def _placed(name: str) -> Iterator[None]:
    """Tells what a name makes impossible from what the disk does."""
    try:
        yield
    except (FileExistsError, NotADirectoryError, IsADirectoryError) as error:
        raise PackageFormatError(f"code package: {name} is a file and a folder") from error
    except OSError as error:
        if error.errno != errno.ENAMETOOLONG:
            raise
        raise PackageFormatError(f"code package: the name {name[:100]}... is too long") from error
