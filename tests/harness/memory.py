"""How much memory of its own a process has, and the most it had during something."""

from __future__ import annotations

import threading
from pathlib import Path
from types import TracebackType
from typing import Self

from harness.processes import wait_until

MIB = 1 << 20
_INTERVAL = 0.02  # seconds between two looks
_SETTLING = 10.0  # seconds that a process has to give back what it does not need


def anonymous_memory(pid: int) -> int:
    """RssAnon of a process, in bytes."""
    status = Path(f"/proc/{pid}/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("RssAnon:"))
    return int(line.split()[1]) * 1024


class PeakMemory:
    """Watches a process while the block runs: ``before``, ``peak``, ``after``, all in bytes."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._done = threading.Event()
        self._watcher = threading.Thread(target=self._watch, daemon=True)
        self.before = self.peak = self.after = 0

    @property
    def growth(self) -> int:
        """The most it had above what it had before."""
        return self.peak - self.before

    def settle(self, below: int) -> int:
        """The growth that stays, once it is under *below* bytes; Deadline if it never is."""

        def settled() -> bool:
            self.after = anonymous_memory(self._pid)
            return self.after - self.before < below

        wait_until(settled, within=_SETTLING, what=f"less than {below} bytes of growth")
        return self.after - self.before

    def __str__(self) -> str:
        before, peak, after = (each / MIB for each in (self.before, self.peak, self.after))
        return f"RssAnon {before:.1f} MiB before, at most {peak:.1f}, {after:.1f} after"

    def __enter__(self) -> Self:
        self.before = self.peak = anonymous_memory(self._pid)
        self._watcher.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._done.set()
        self._watcher.join()
        self.after = anonymous_memory(self._pid)
        self.peak = max(self.peak, self.after)

    def _watch(self) -> None:
        while not self._done.wait(_INTERVAL):
            self.peak = max(self.peak, anonymous_memory(self._pid))
