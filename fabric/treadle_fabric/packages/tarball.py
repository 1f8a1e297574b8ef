"""A reader of tar streams that trusts nobody.

Python's ``tarfile`` is made for friends: a header of repeated digits keeps its regular
expressions busy for hours, sparse maps fill the memory, and what is unreadable in the middle
counts as the end. This reader knows what packages hold (ustar, pax, GNU's long names), bounds
everything as Go's ``archive/tar`` does, and never looks at a byte twice.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

BLOCK: Final = 512
MAX_SPECIAL_BYTES: Final = 1 << 20
"""Of one pax header or long name, as in Go."""
MAX_SPECIALS: Final = 200_000
MAX_RECORDS: Final = 1_000_000
"""Of all pax headers together."""

_CHUNK: Final = 1 << 16
_PAX, _GLOBAL, _LONG_NAME, _LONG_LINK, _SPARSE = b"x", b"g", b"L", b"K", b"S"
_REGULAR: Final = (b"0", b"\0")
_FOLDER: Final = b"5"
_WITHOUT_CONTENT: Final = frozenset(b"123456"[i : i + 1] for i in range(6))
_USTAR: Final = b"ustar\0"
_OCTAL: Final = re.compile(rb"[0-7]{0,21}")
_DECIMAL: Final = re.compile(rb"[0-9]{1,19}")
_LARGEST: Final = (1 << 63) - 1


class TarballError(ValueError):
    """The bytes are no tar, or one beyond the bounds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TarHeader:
    """One entry; ``size`` counts the bytes of content that follow it in the archive."""

    name: str
    mode: int
    size: int
    is_folder: bool
    is_file: bool


@dataclass(slots=True)
class _Special:
    """What pax headers and long names say about the entry after them."""

    name: bytes | None = None
    size: int | None = None
    sparse: bool = False


class TarReader:
    """Reads entries in order. *read* gives as many bytes as asked for, fewer only at the end."""

    def __init__(self, read: Callable[[int], bytes]) -> None:
        self._read = read
        self._content = 0  # bytes of the present entry not yet read
        self._padding = 0
        self._specials = 0
        self._records = 0

    def next(self) -> TarHeader | None:
        """The next entry, None at the end; raises TarballError."""
        special = _Special()
        while (block := self._next_block()) is not None:
            kind, size = block[156:157], _number(block[124:136])
            if kind in (_PAX, _GLOBAL, _LONG_NAME, _LONG_LINK):
                self._take_special(kind, size, special)
            else:
                return self._entry(block, kind, size, special=special)
        return None

    def chunks(self) -> Iterator[bytes]:
        """The content of the present entry, what was not read yet; raises TarballError."""
        while self._content:
            part = self._read(min(self._content, _CHUNK))
            if not part:
                raise TarballError("unexpected EOF")
            self._content -= len(part)
            yield part

    def _next_block(self) -> bytes | None:
        for _ in self.chunks():
            pass
        if len(self._read(self._padding)) < self._padding:
            raise TarballError("unexpected EOF")
        self._padding = 0
        block = self._read(BLOCK)
        if not block.strip(b"\0"):
            return None
        if len(block) < BLOCK:
            raise TarballError("unexpected EOF")
        _check_sum(block)
        return block

    def _expect(self, size: int) -> None:
        self._content, self._padding = size, -size % BLOCK

    def _take_special(self, kind: bytes, size: int, special: _Special) -> None:
        self._specials += 1
        if size > MAX_SPECIAL_BYTES or self._specials > MAX_SPECIALS:
            raise TarballError("archive/tar: header field too long")
        self._expect(size)
        content = b"".join(self.chunks())
        if kind == _LONG_NAME:
            special.name = _until_nul(content)
        elif kind == _PAX:
            self._take_records(content, special)

    def _take_records(self, content: bytes, special: _Special) -> None:
        for key, value in _records(content):
            self._records += 1
            if self._records > MAX_RECORDS:
                raise TarballError(f"more than {MAX_RECORDS} pax records")
            if key == b"path":
                special.name = value or None
            elif key == b"size":
                special.size = _decimal(value) if value else None
            elif key.startswith(b"GNU.sparse."):
                special.sparse = True

    def _entry(self, block: bytes, kind: bytes, size: int, *, special: _Special) -> TarHeader:
        if kind == _SPARSE:
            raise TarballError("sparse files are not supported")
        size = size if special.size is None else special.size
        self._expect(0 if kind in _WITHOUT_CONTENT else size)
        raw = _name(block) if special.name is None else special.name
        is_folder = kind == _FOLDER or (kind == b"\0" and raw.endswith(b"/"))
        return TarHeader(
            name=_decoded(raw.rstrip(b"/") if is_folder else raw),
            mode=_number(block[100:108]),
            size=self._content,
            is_folder=is_folder,
            is_file=kind in _REGULAR and not is_folder and not special.sparse,
        )


def _check_sum(block: bytes) -> None:
    """Some old writers summed signed characters."""
    field = block[148:156]
    claimed = _number(field)
    unsigned = sum(block) - sum(field) + 8 * ord(" ")
    if claimed == unsigned:
        return
    high = sum(octet >= 0x80 for octet in block) - sum(octet >= 0x80 for octet in field)
    if claimed != unsigned - 256 * high:
        raise TarballError("archive/tar: invalid tar header")


def _number(field: bytes) -> int:
    """An octal number, or GNU's base 256 for large ones; never negative."""
    if field[0] & 0x80:
        value = int.from_bytes(bytes((field[0] & 0x7F,)) + field[1:], "big")
        negative = field[0] & 0x40
    else:
        digits = field.strip(b" \0")
        if not _OCTAL.fullmatch(digits):
            raise TarballError("archive/tar: invalid tar header")
        value, negative = int(digits or b"0", 8), 0
    if negative or value > _LARGEST:
        raise TarballError("archive/tar: invalid tar header")
    return value


def _decimal(value: bytes) -> int:
    if not _DECIMAL.fullmatch(value) or int(value) > _LARGEST:
        raise TarballError("archive/tar: invalid tar header")
    return int(value)


def _records(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Key and value of each ``<size> <key>=<value>\\n``."""
    position = 0
    while position < len(content):
        blank = content.find(b" ", position, position + 20)
        digits = content[position : max(blank, position)]
        if not _DECIMAL.fullmatch(digits):
            raise TarballError("archive/tar: invalid tar header")
        end = position + int(digits)
        key, equals, value = content[blank + 1 : end - 1].partition(b"=")
        # A size that ends within the record's own start would never get on.
        if not (blank < end <= len(content) and equals and content[end - 1 : end] == b"\n"):
            raise TarballError("archive/tar: invalid tar header")
        yield key, value
        position = end


def _name(block: bytes) -> bytes:
    name = _until_nul(block[:100])
    prefix = _until_nul(block[345:500]) if block[257:263] == _USTAR else b""
    return prefix + b"/" + name if prefix else name


def _until_nul(field: bytes) -> bytes:
    return field.partition(b"\0")[0]


def _decoded(name: bytes) -> str:
    try:
        return name.decode()
    except UnicodeDecodeError:
        # Such a name could not stand in any answer.
        raise TarballError(f"the name {name[:100]!r} is not UTF-8") from None
