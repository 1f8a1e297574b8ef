"""Choices made from the bytes of a fuzzer's input: the same bytes, the same choices."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")

# Where integers of protobuf, tar and Fabric change their meaning.
_EDGES = (
    0,
    1,
    2,
    3,
    4,
    5,
    99,
    100,
    101,
    127,
    128,
    255,
    256,
    1 << 16,
    (1 << 31) - 1,
    1 << 31,
    (1 << 32) - 1,
    1 << 32,
    (1 << 63) - 1,
    (1 << 64) - 1,
)


class Octets:
    """Reads choices off the front; when the bytes are used up, everything is 0 or empty."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._position = 0

    def __bool__(self) -> bool:
        return self._position < len(self._data)

    def byte(self) -> int:
        """The next byte."""
        if not self:
            return 0
        self._position += 1
        return self._data[self._position - 1]

    def below(self, limit: int) -> int:
        """A number from 0 to before *limit*."""
        value = self.byte()
        if limit > 256:
            value = value << 8 | self.byte()
        return value % limit if limit > 1 else 0

    def flag(self) -> bool:
        """Yes or no."""
        return bool(self.byte() & 1)

    def pick(self, choices: Sequence[T]) -> T:
        """One of *choices*."""
        return choices[self.below(len(choices))]

    def number(self) -> int:
        """An unsigned integer of up to 64 bits, an interesting one more often than not."""
        kind = self.byte()
        if kind < 2 * len(_EDGES):
            return _EDGES[kind // 2]
        return int.from_bytes(self.take(1 + kind % 8), "big")

    def take(self, size: int) -> bytes:
        """Up to *size* bytes."""
        taken = self._data[self._position : self._position + size]
        self._position += len(taken)
        return taken

    def short(self) -> bytes:
        """Up to 255 bytes, their number first."""
        return self.take(self.byte())

    def text(self) -> str:
        """A text; what is no UTF-8 is left out, as protobuf could not carry it."""
        return self.short().decode(errors="ignore")

    def rest(self) -> bytes:
        """Everything that is left."""
        return self.take(len(self._data))
