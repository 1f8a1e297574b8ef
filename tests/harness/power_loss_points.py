"""Which moments of a recorded run a power loss is worth trying at."""

from __future__ import annotations

from itertools import pairwise

from harness.disk_calls import Removed, Renamed, Synced
from harness.power_loss import NEVER, Recording


def cuts_around(recording: Recording) -> list[int]:
    """The points just before and after every sync, rename and removal, and the end."""
    turning = (Synced, Renamed, Removed)
    found = {
        at + side
        for at, call in enumerate(recording.calls)
        for side in (0, 1)
        if isinstance(call, turning)
    }
    return sorted(found | {len(recording)})


def distinct_sure(recording: Recording) -> list[int]:
    """The last point of each stretch in which nothing becomes sure: all dropped states differ."""
    gains = sorted({step.sure for step in recording.steps if step.sure < NEVER})
    return [after - 1 for _, after in pairwise([0, *gains])] + [len(recording)]
