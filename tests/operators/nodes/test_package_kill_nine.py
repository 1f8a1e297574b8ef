"""The operator dies while it gets a source: the package is installed once, and nothing is left."""

from __future__ import annotations

import os
import signal
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from harness.nodes.images import Image
from harness.nodes.machine import Machine
from harness.operating.operated import Operated, operated
from harness.operating.proxy import Moment, Proxy
from harness.processes import wait_until

pytestmark = [pytest.mark.kubernetes, pytest.mark.process_node]

Say = Callable[[str], None]
KIND = "ChaincodePackage"


@dataclass(frozen=True, slots=True)
class Ground:
    """A ready peer whose operator has ended; each run installs another version."""

    trade: Operated
    folder: Path

    def run(self, version: int, *, at: int, moment: Moment) -> tuple[dict[str, Any], int]:
        """What is left, and how many writes it took; killed at write *at* (0: never)."""
        name, victims = f"asset-{version}", []

        def act(number: int, now: Moment) -> bool:
            if (number, now) != (at, moment):
                return True
            os.kill(victims[0].pid, signal.SIGKILL)
            return False

        server = f"https://127.0.0.1:{self.trade.machine.plane.port}"
        with Proxy(server, act) as proxy:
            with self.trade.start(self.folder, name=f"first-{version}", server=proxy.url) as first:
                victims.append(first)
                self._create(name, version)
                if at:
                    assert first.started.wait(within=60) == -signal.SIGKILL
                else:
                    self._is_done(name)
            with self.trade.start(self.folder, name=f"second-{version}", server=proxy.url):
                self._is_done(name)
            return self._left(name), len(proxy.writes)

    def _create(self, name: str, version: int) -> None:
        source = {"imageFiles": {"image": "sources", "path": "/sources"}}
        self.trade.space.create_package(name, version=str(version), source=source)

    def _is_done(self, name: str) -> None:
        self.trade.ready(KIND, name, within=90)
        wait_until(lambda: not self._fetching(name), within=60, what="nothing being fetched")

    def _fetching(self, name: str) -> list[str]:
        return [
            each["metadata"]["name"]
            for kind in ("Job", "Secret", "Pod")
            for each in self.trade.space.all(kind)
            if each["metadata"].get("labels", {}).get("treadle.dev/package") == name
        ]

    def _left(self, name: str) -> dict[str, Any]:
        status = self.trade.space.get(KIND, name)["status"]
        events = Counter(self.trade.events(KIND, name))
        assert events.pop("Fetching", 1) == 1
        return {
            "sha256": status["sha256"],
            "targets": status["targets"],
            "reason": status["conditions"][0]["reason"],
            "events": events,
        }


@pytest.fixture(scope="module")
def ground(machine: Machine, tmp_path_factory: pytest.TempPathFactory) -> Ground:
    folder = tmp_path_factory.mktemp("killing")
    folder.chmod(0o755)
    sources = folder / "sources"
    sources.mkdir(mode=0o755)
    (sources / "chaincode.py").write_text("print()\n")
    machine.node.images["sources"] = Image(folders={"/sources": sources})
    with operated(machine, folder) as trade:
        pass
    return Ground(trade, folder)


def hold(ground: Ground, say: Say, *, every: int) -> None:
    wanted, count = ground.run(1, at=0, moment="before")
    assert wanted["reason"] == "Installed"
    assert count >= 6
    points: list[tuple[int, Moment]] = [
        (number, moment) for number in range(1, count + 1) for moment in ("before", "after")
    ]
    chosen = points[::every]
    say(f"{len(chosen)} of {len(points)} points around {count} writes")
    for index, (number, moment) in enumerate(chosen):
        found, _ = ground.run(index + 2, at=number, moment=moment)
        assert found == wanted, f"killed {moment} write {number} of {count}"


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_a_kill_at_any_write_leaves_one_package_and_no_job(ground: Ground, say: Say) -> None:
    hold(ground, say, every=1)
