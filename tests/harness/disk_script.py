"""A run of system calls written down by hand, and what a power loss makes of it."""

from __future__ import annotations

import random
from collections.abc import Callable

from harness.disk_calls import Call
from harness.power_loss import Recording, Tree, Variant


class Script:
    """Calls one after another, each lasting 1 ns."""

    def __init__(self) -> None:
        self.calls: list[Call] = []

    def __call__(self, kind: type[Call], path: str, **told: object) -> Script:
        now = 2 * len(self.calls)
        make: Callable[..., Call] = kind
        self.calls.append(make(begun=now, ended=now + 1, path=path, **told))
        return self

    def after(self, variant: Variant, cut: int | None = None, seed: int = 0) -> Tree:
        """What the disk holds when the power fails after *cut* calls (default: all)."""
        return state(Recording(self.calls), variant, cut, seed)


def state(recording: Recording, variant: Variant, cut: int | None = None, seed: int = 0) -> Tree:
    """What the disk holds after *cut* calls of *recording*."""
    at = len(recording) if cut is None else cut
    return recording.tree(at, recording.survivors(at, variant, random.Random(seed)))
