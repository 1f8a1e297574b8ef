"""Starting adversaries (``harness.rogues``) as a process of their own, and what they report."""

from __future__ import annotations

import dataclasses
import json
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from harness.processes import Started
from harness.rogues.orders import Orders

TESTS = Path(__file__).resolve().parents[1]
_END_SECONDS = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What one adversary did: counts by name, and the answers its own transactions got.

    ``longest`` is the longest wait for an answer in seconds, ``unanswered`` how many callers gave
    up waiting at their own deadline, long after the peer's.
    """

    did: Mapping[str, int]
    answers: Mapping[str, int]
    longest: float
    unanswered: int


@dataclass(kw_only=True)
class Adversaries:
    """Some adversaries in one process, a context manager: inside the block they are at work."""

    orders: Sequence[Orders]
    folder: Path
    within: float = 60.0
    reports: list[Report] = field(default_factory=list)
    _process: Started | None = field(default=None, repr=False)

    @property
    def process(self) -> Started:
        """The process."""
        assert self._process is not None
        return self._process

    def answered(self, *, within: float = 60.0) -> None:
        """Return once every rogue chaincode's transactions had an answer."""
        self.process.wait_for_text("ANSWERED", within=within)

    def __enter__(self) -> Self:
        self.folder.mkdir(parents=True, exist_ok=True)
        number = sum(1 for _ in self.folder.iterdir())
        path = os.pathsep.join(filter(None, (str(TESTS), os.environ.get("PYTHONPATH"))))
        told = json.dumps([dataclasses.asdict(one) for one in self.orders])
        self._process = Started(
            [sys.executable, "-m", "harness.rogues.run", told],
            output=self.folder / f"{number}.log",
            environment=os.environ | {"PYTHONPATH": path, "PYTHONWARNINGS": "ignore"},
        )
        try:
            self._process.wait_for_text("AT WORK", within=self.within)
        except BaseException:
            self._process.stop()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        alive = self.process.running()
        self.process.stop(within=_END_SECONDS)
        if kind is not None:
            return
        said = self.process.text()
        lines = [line for line in said.splitlines() if line.startswith("REPORT ")]
        assert alive, f"the adversaries ended by themselves:\n{said}"
        assert lines, f"the adversaries did not say what they did:\n{said}"
        self.reports = [Report(**one) for one in json.loads(lines[-1].removeprefix("REPORT "))]
