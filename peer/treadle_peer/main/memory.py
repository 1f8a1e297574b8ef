"""Large messages give their memory back to the machine when they are done."""

from __future__ import annotations

import ctypes

_M_MMAP_THRESHOLD = -3
LARGE = 1 << 20
"""Bytes from which on a message counts as large."""


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
