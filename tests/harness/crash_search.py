"""Many power losses of one recorded run, each examined on a disk of its own, by all processors."""

from __future__ import annotations

import multiprocessing
import os
import random
import shutil
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from itertools import cycle
from pathlib import Path

from harness.crash_reference import Reference
from harness.crashed_disk import losses, write_tree
from harness.disk_calls import Call
from harness.power_loss import Recording, Tree, Variant
from harness.power_loss_points import distinct_sure
from harness.recorded_run import RecordedRun

_ROTATING = (Variant.NAMES, Variant.BYTES, Variant.KEPT)


@dataclass(frozen=True, slots=True)
class PowerLoss:
    """After how many calls, and what became of what was not sure; *seed* for what is drawn."""

    cut: int
    variant: Variant
    seed: int

    def tree(self, recording: Recording) -> Tree:
        """What the disk then holds."""
        chance = random.Random(self.seed * 1_000_003 + self.cut)
        return recording.tree(self.cut, recording.survivors(self.cut, self.variant, chance))


@dataclass(frozen=True, slots=True)
class Finding:
    """A power loss that lost what was promised, or left what does not open."""

    loss: PowerLoss
    problems: list[str]


def recording_of(calls: Sequence[Call]) -> Recording:
    """The recording of a peer. RocksDB cannot open a database whose manifest has a hole in what
    was appended last; no file system with a journal makes one there."""
    return Recording(calls, in_order="MANIFEST-")


def everywhere(recording: Recording, *, seed: int) -> Iterator[PowerLoss]:
    """Every state in which nothing but the sure is left, and at every point: all kept but torn
    ends, a random part, and one of names, bytes and all kept, in turn."""
    for cut in distinct_sure(recording):
        yield PowerLoss(cut, Variant.DROPPED, seed)
    for cut, rotating in zip(range(len(recording) + 1), cycle(_ROTATING), strict=False):
        for variant in (Variant.TORN, Variant.RANDOM, rotating):
            yield PowerLoss(cut, variant, seed)


class Examiner:
    """Opens the disks of one run's power losses; keeps its own copy of what the run had."""

    def __init__(self, run: RecordedRun, scratch: Path) -> None:
        shutil.rmtree(scratch, ignore_errors=True)
        own = replace(run, final=shutil.copytree(run.final, scratch / "final"))
        self.recording = recording_of(run.calls)
        self.reference = Reference(own, scratch / "replay")
        self._disk = scratch / "disk"

    def problems(self, loss: PowerLoss, recording: Recording | None = None) -> list[str]:
        """What is wrong after *loss*; of another *recording* of the same run, if given."""
        of = recording or self.recording
        data = write_tree(loss.tree(of), self._disk)
        return losses(data, self.reference, self.reference.due(of.horizon(loss.cut)))


def without(calls: Sequence[Call], omitted: Callable[[Call], bool]) -> Recording:
    """The same run, had the peer not made the calls for which *omitted* holds."""
    kept = [call for call in calls if not omitted(call)]
    assert len(kept) < len(calls), "nothing was omitted"
    return recording_of(kept)


def only_logs_unsure(recording: Recording, *folders: str) -> None:
    """Let all that *recording* did be sure at once, as if synced, but for logs in *folders*."""
    inside = tuple(f"{folder}/" for folder in folders)
    for step in recording.steps:
        path = recording.calls[step.at].path
        if not (path.startswith(inside) and path.endswith(".log")):
            step.sure = min(step.sure, step.at + 1)


def examine(run: RecordedRun, losses: Sequence[PowerLoss], scratch: Path) -> list[Finding]:
    """Examine all *losses* on as many processes as there are processors."""
    workers = os.cpu_count() or 1
    with ProcessPoolExecutor(
        workers,
        mp_context=multiprocessing.get_context("spawn"),
        initializer=_begin,
        initargs=(run, scratch),
    ) as pool:
        found = pool.map(_examined, losses, chunksize=16)
        return [
            Finding(loss, problems)
            for loss, problems in zip(losses, found, strict=True)
            if problems
        ]


_examiners: list[Examiner] = []


def _begin(run: RecordedRun, scratch: Path) -> None:
    _examiners.append(Examiner(run, scratch / f"worker-{os.getpid()}"))


def _examined(loss: PowerLoss) -> list[str]:
    return _examiners[0].problems(loss)
