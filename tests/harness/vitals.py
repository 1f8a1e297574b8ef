"""What a process holds, as the kernel counts it: memory, descriptors, threads; and its log."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from harness.memory import anonymous_memory
from harness.peers import PeerProcess
from harness.processes import Deadline, wait_until


@dataclass(frozen=True, slots=True, kw_only=True)
class Vitals:
    """``memory`` is RssAnon in bytes; ``lines`` were logged so far, those about blocks left out."""

    memory: int
    descriptors: int
    threads: int
    lines: int


def vitals(peer: PeerProcess) -> Vitals:
    """Of a running peer, now."""
    folder = Path(f"/proc/{peer.process.pid}")
    return Vitals(
        memory=anonymous_memory(peer.process.pid),
        descriptors=sum(1 for _ in (folder / "fd").iterdir()),
        threads=sum(1 for _ in (folder / "task").iterdir()),
        lines=sum("committed block" not in line for line in peer.process.text().splitlines()),
    )


def settled(peer: PeerProcess, before: Vitals, *, kept: int, within: float = 15.0) -> Vitals:
    """The vitals once they are back, or as they are after *within* seconds.

    Back: no more than *kept* bytes, 8 descriptors and 4 threads above *before*; RocksDB opens
    files and a pool keeps its threads.
    """
    now = [vitals(peer)]

    def back() -> bool:
        now[0] = vitals(peer)
        return (
            now[0].memory - before.memory <= kept
            and now[0].descriptors - before.descriptors <= 8
            and now[0].threads - before.threads <= 4
        )

    try:
        wait_until(back, within=within, what="the peer giving back what it held")
    except Deadline:
        return now[0]
    return now[0]
