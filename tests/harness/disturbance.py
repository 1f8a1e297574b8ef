"""What a disturbance did to those who had no part in it: pure figures, no clocks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

SLOWER = 1.5
"""How much longer the median of others may get."""
KEPT = 10 << 20
"""Bytes of RssAnon that may stay after the disturbance is gone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """One disturbance: seconds per honest transaction, and bytes that the peer holds."""

    name: str
    quiet: Sequence[float]
    disturbed: Sequence[float]
    before: int
    after: int
    peak: int = 0
    note: str = ""

    @property
    def ratio(self) -> float:
        """The disturbed median over the quiet one."""
        return median(self.disturbed) / median(self.quiet)

    @property
    def kept(self) -> int:
        """Bytes more than before."""
        return self.after - self.before

    def faults(self) -> list[str]:
        """What is wrong with it, in words; nothing when both bounds hold."""
        found = []
        if self.ratio > SLOWER:
            found.append(f"{self.name}: the others' median is {self.ratio:.2f} times as long")
        if self.kept > KEPT:
            found.append(f"{self.name}: {self.kept / (1 << 20):.1f} MiB stay")
        return found


HEADER = (
    f"{'disturbance':<38} {'p50 quiet':>9} {'p50 during':>10} {'ratio':>5} "
    f"{'RssAnon before':>14} {'peak':>6} {'after':>6}  samples"
)


def table(rows: Sequence[Measured]) -> str:
    """One line per disturbance: milliseconds and MiB."""
    return "\n".join([HEADER, *map(_line, rows)])


def _line(row: Measured) -> str:
    quiet, disturbed = (median(some) * 1000 for some in (row.quiet, row.disturbed))
    before, peak, after = (some / (1 << 20) for some in (row.before, row.peak, row.after))
    return (
        f"{row.name:<38} {quiet:>6.1f} ms {disturbed:>7.1f} ms {row.ratio:>5.2f} "
        f"{before:>10.1f} MiB {peak:>6.1f} {after:>6.1f}  "
        f"{len(row.quiet)}/{len(row.disturbed)} {row.note}".rstrip()
    )
