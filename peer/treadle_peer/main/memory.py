"""Memory goes back to the machine once what it was for is done."""

from __future__ import annotations

import asyncio
import ctypes
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

_M_MMAP_THRESHOLD = -3
LARGE = 1 << 20
"""Bytes from which on a message counts as large."""
_LOOK_SECONDS = 5.0
_SLACK = 4 << 20
_STEP = 1 << 20
_WORTH = 1 / 16
"""Of what is above the guess; a search that returns less was in vain."""
_LONGEST_REST = 64
"""Looks without a search after many in vain: five minutes."""


def return_large_blocks() -> None:
    """Let the C library map every block above 1 MiB for itself, and unmap it when freed.

    Left alone, glibc raises that limit to 32 MiB after the first large block, and a peer that has
    seen some values of several megabytes keeps their holes in its heap. Other C libraries have no
    such setting.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_MMAP_THRESHOLD, LARGE)


def return_free_pages() -> None:
    """Give back what lies free between small blocks; worth its milliseconds after a large one.

    gRPC receives a large message in thousands of pieces, whose pages would stay with the process.
    """
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


class Floor:
    """What the process needs, guessed from what it has: decides when to look for free pages.

    The guess follows memory down at once and up slowly (1 MiB per look), so after a flood of
    connections or messages it is looked for until found. Most of growth that lasts is in use:
    each search in vain doubles the number of looks until the next, unless the memory moves.
    """

    def __init__(self, held: int) -> None:
        self._floor = held
        self._left = held
        self._vain = 0
        self._rest = 0

    def exceeded(self, held: int) -> bool:
        """Whether *held* bytes are worth a search."""
        if held - self._floor <= _SLACK:
            self._vain = self._rest = 0
            return False
        if self._rest and abs(held - self._left) <= _SLACK:
            self._rest -= 1
            return False
        return True

    def searched(self, *, held: int, left: int) -> None:
        """A search has left so many of the *held* bytes."""
        vain = held - left < (held - self._floor) * _WORTH
        self._vain = self._vain + 1 if vain else 0
        self._rest = min(1 << self._vain, _LONGEST_REST) if vain else 0
        self._left = left
        self.follow(left)

    def follow(self, held: int) -> None:
        """*held* bytes are there."""
        self._floor = min(held, self._floor + _STEP)


@asynccontextmanager
async def thrifty() -> AsyncIterator[None]:
    """Within the block, free pages are returned every few seconds when there may be many."""
    task = asyncio.create_task(_return_again_and_again())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def _return_again_and_again() -> None:
    with suppress(OSError):  # only Linux tells what a process holds
        floor = Floor(_held())
        while True:
            await asyncio.sleep(_LOOK_SECONDS)
            held = _held()
            if floor.exceeded(held):
                await asyncio.to_thread(return_free_pages)
                floor.searched(held=held, left=_held())
            else:
                floor.follow(held)


def _held() -> int:
    """RssAnon in bytes; raises OSError where there is no /proc."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("RssAnon:"):
            return int(line.split()[1]) * 1024
    raise OSError("no RssAnon")
