"""Gzipped tar archives: writing them the same everywhere, reading them without trust.

Writing: sorted names, zero times and owners, mode 0644, ustar with pax records only where ustar
cannot say it, and gzip in *stored* blocks with a fixed header. No compressor is involved whose
next version might choose other bytes. Reading: streamed, bounded in size and number of entries.
"""

from __future__ import annotations

import gzip
import io
import posixpath
import stat
import struct
import tarfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from treadle_fabric.packages.errors import PackageFormatError

MAX_UNPACKED_BYTES: Final = 512 * 1024 * 1024
MAX_ENTRIES: Final = 100_000

_GZIP_HEADER = bytes((0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 0xFF))
_STORED_BLOCK = 0xFFFF
_CHUNK = 1 << 16
_PLAIN_TYPES = (tarfile.REGTYPE, tarfile.AREGTYPE)


@dataclass(frozen=True, slots=True)
class Entry:
    """One archive entry while its archive is read; ``mode`` is the header's mode field.

    ``content`` reads a regular file once, and only before the next entry is asked for.
    """

    name: str
    mode: int
    is_directory: bool
    is_file: bool
    content: Callable[[], bytes]


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
    with _translated(what):
        stream = _Bounded(gzip.GzipFile(fileobj=io.BytesIO(data)))
        with tarfile.open(fileobj=stream, mode="r|", errorlevel=2) as archive:
            for index, info in enumerate(archive):
                if index >= MAX_ENTRIES:
                    raise PackageFormatError(f"{what}: more than {MAX_ENTRIES} entries")
                yield _entry(archive, info, what)


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


class _Bounded(io.RawIOBase):
    """Reads from a decompressor until the limit for unpacked bytes."""

    def __init__(self, source: gzip.GzipFile) -> None:
        super().__init__()
        self._source = source
        self._left = MAX_UNPACKED_BYTES

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        # Chunks: a header that claims a huge size must not make room for it beforehand.
        wanted = size if size >= 0 else self._left + 1
        parts: list[bytes] = []
        while wanted > 0 and (part := self._source.read(min(wanted, _CHUNK))):
            wanted -= len(part)
            self._left -= len(part)
            if self._left < 0:
                raise PackageFormatError(f"unpacks to more than {MAX_UNPACKED_BYTES} bytes")
            parts.append(part)
        return b"".join(parts)


def _entry(archive: tarfile.TarFile, info: tarfile.TarInfo, what: str) -> Entry:
    def content() -> bytes:
        with _translated(what):
            file = archive.extractfile(info)
            return file.read() if file else b""

    return Entry(
        name=info.name,
        mode=info.mode,
        is_directory=info.isdir(),
        # Sparse entries claim sizes that no byte of the archive backs.
        is_file=info.type in _PLAIN_TYPES and not info.issparse(),
        content=content,
    )


@contextmanager
def _translated(what: str) -> Iterator[None]:
    try:
        yield
    except (tarfile.TarError, EOFError, OSError, zlib.error, ValueError) as error:
        raise PackageFormatError(f"{what}: {error}") from error


def _make_folder(folder: Path, name: str) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError) as error:
        raise PackageFormatError(f"code package: {name} is a file and a folder") from error


def _write_file(path: Path, entry: Entry) -> None:
    _make_folder(path.parent, entry.name)
    try:
        path.write_bytes(entry.content())
    except IsADirectoryError as error:
        raise PackageFormatError(f"code package: {entry.name} is a file and a folder") from error
    path.chmod(0o755 if entry.mode & 0o111 else 0o644)
