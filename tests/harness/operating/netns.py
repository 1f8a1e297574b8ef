"""The network of a pod on a node of processes."""

from __future__ import annotations

import contextlib
from pathlib import Path


def inside(address: str) -> int:
    """A process of the pod with this address: only it has it."""
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if f"|-- {address}\n" in (process / "net" / "fib_trie").read_text():
                return int(process.name)
    raise AssertionError(f"no process has the address {address}")
