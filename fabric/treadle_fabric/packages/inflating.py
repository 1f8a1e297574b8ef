"""Gzip, unpacked piece by piece, with bounds on what a few bytes can make of it."""

from __future__ import annotations

import zlib
from typing import Final

_MAGIC: Final = b"\x1f\x8b"
_GZIP_WINDOW: Final = 31
_FEED: Final = 1 << 14
_CHUNK: Final = 1 << 16
# Parallel compressors write a few members; a million empty ones would only keep us busy.
_MOST_MEMBERS: Final = 1000


class InflateError(ValueError):
    """The bytes are no gzip stream, end too early, or become too many; the text is Go's."""


class Inflater:
    """Reads the content of gzip *data*; more than *limit* bytes raise InflateError."""

    def __init__(self, data: bytes, *, limit: int) -> None:
        self._data: Final = data
        self._limit: Final = limit
        self._position = 0
        self._produced = 0
        self._members = 0
        self._member: zlib._Decompress | None = None

    def read(self, size: int) -> bytes:
        """The next *size* bytes, fewer only at the end; raises InflateError."""
        parts: list[bytes] = []
        # Chunks: a header that claims a huge size must not make room for it beforehand.
        while size > 0 and (part := self._next(min(size, _CHUNK))):
            size -= len(part)
            parts.append(part)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def _next(self, most: int) -> bytes:
        """Between 1 and *most* bytes; none at the end."""
        while (member := self._member or self._open_member()) is not None:
            part = self._inflate(member, most)
            self._produced += len(part)
            if self._produced > self._limit:
                raise InflateError(f"unpacks to more than {self._limit} bytes")
            if part:
                return part
        return b""

    def _open_member(self) -> zlib._Decompress | None:
        """The next member, if there is one."""
        start = self._data[self._position : self._position + len(_MAGIC)]
        if not start and self._members:
            return None
        if not start:
            raise InflateError("EOF")
        if start != _MAGIC[: len(start)]:
            raise InflateError("gzip: invalid header")
        self._members += 1
        if self._members > _MOST_MEMBERS:
            raise InflateError(f"gzip: more than {_MOST_MEMBERS} members")
        self._member = zlib.decompressobj(_GZIP_WINDOW)
        return self._member

    def _inflate(self, member: zlib._Decompress, most: int) -> bytes:
        """One step of the open member; may give nothing although more is to come."""
        feed = member.unconsumed_tail
        if not feed:
            feed = self._data[self._position : self._position + _FEED]
            self._position += len(feed)
        try:
            part = member.decompress(feed, most)
        except zlib.error as error:
            raise InflateError(f"gzip: {error}") from None
        if member.eof:
            self._position -= len(member.unused_data)
            self._member = None
        elif not part and not feed:
            raise InflateError("unexpected EOF")
        return part
