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
    connections or messages it is looked for until found, while lasting growth is soon accepted.
    """

    def __init__(self, held: int) -> None:
        self._floor = held

    def exceeded(self, held: int) -> bool:
        """Whether *held* bytes are worth a search."""
        return held - self._floor > _SLACK

    def follow(self, held: int) -> None:
        """*held* bytes are left after the search, or without one."""
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
            if floor.exceeded(_held()):
                await asyncio.to_thread(return_free_pages)
            floor.follow(_held())


def _held() -> int:
    """RssAnon in bytes; raises OSError where there is no /proc."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("RssAnon:"):
            return int(line.split()[1]) * 1024
    raise OSError("no RssAnon")
