"""The operator dies at any of its calls; the next one ends where an undisturbed one does.

``TREADLE_KILL_EVERY`` says how many points a test goes on by (default 40; 1: all of them), and
``TREADLE_KILL_FROM`` how many it passes over.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import pytest
from harness.nodes.machine import Machine
from harness.operating.killing import EVERY, KIND, hold
from harness.operating.operated import Operated, go_files, new_operated, package_of
from harness.processes import wait_until
from treadle_operator.names import runtime_name

pytestmark = [
    pytest.mark.kubernetes,
    pytest.mark.process_node,
    pytest.mark.toolchain("go"),
    pytest.mark.long,
    pytest.mark.timeout(6 * 3600),
]

Say = Callable[[str], None]


@pytest.fixture
def alone(machine: Machine, tmp_path_factory: pytest.TempPathFactory) -> Operated:
    """A ready peer, and nobody who operates it."""
    made = new_operated(machine)
    with made.start(tmp_path_factory.mktemp("first"), name="first"):
        made.space.create_peer()
        made.ready("Peer", "peer0")
    return made


@dataclass(frozen=True, slots=True)
class Chaincode:
    """A chaincode on its way to *version*; *before* is the one that it has, if any."""

    trade: Operated
    name: str
    version: str
    before: str = ""

    @property
    def words(self) -> dict[str, str]:
        """In no hash: none of them has only digits and the letters a to f."""
        old = {self.before: "BEFORE"} if self.before else {}
        return {self.name: "NAME", self.version: "VERSION", **old}

    def ask(self) -> None:
        """Create its package, and name it."""
        change = ('const version = "1"', f'const version = "{self.version}"')
        package = f"{self.name}-{self.version}"
        spec = package_of(go_files(change), name=self.name, version=self.version)
        self.trade.space.create_package(package, **spec)
        init = {"args": ["init", "a", "1"]}
        if self.before:
            self.trade.change(KIND, self.name, packageRef={"name": package}, init=init)
        else:
            self.trade.instantiate(self.name, package, init=init)

    def is_done(self) -> bool:
        """Ready with this version, whose runtime is its only one, and available."""
        package = f"{self.name}-{self.version}"
        known = self.trade.space.get(KIND, self.name).get("status", {})
        return (
            self.trade.reason("ChaincodePackage", package)[0] == "True"
            and known.get("legacyID") == f"{self.name}:{self.version}"
            and self.trade.reason(KIND, self.name)[0] == "True"
            and self._deployments() == {runtime_name("peer0", known["legacyID"]): 1}
        )

    def _deployments(self) -> dict[str, int]:
        """How many pods of each are available."""
        return {
            each["metadata"]["name"]: each["status"].get("availableReplicas", 0)
            for each in self.trade.space.all("Deployment")
            if self.name in each["metadata"]["name"]
        }

    def inits(self) -> int:
        """How often a was written: only Init does."""
        if not self.before and self.trade.space.find(KIND, self.name) is None:
            return 0
        history = json.loads(self.trade.query(self.name, "history", "a"))
        return len(history["history"] if isinstance(history, dict) else history)

    def tidy(self) -> None:
        """Delete it, or after an upgrade what was before."""
        pods = f"peer0-{self.name}-"
        if self.before:
            pods = f"{runtime_name('peer0', f'{self.name}:{self.before}')}-"
            self._delete("ChaincodePackage", f"{self.name}-{self.before}")
        else:
            self._delete(KIND, self.name)
            self._delete("ChaincodePackage", f"{self.name}-{self.version}")
        wait_until(lambda: not self.trade.pods(pods), within=120, what=f"the end of {pods}")

    def _delete(self, kind: str, name: str) -> None:
        self.trade.space.api.delete(self.trade.space.path(kind, name)).expect()
        what = f"the end of {kind} {name}"
        wait_until(lambda: self.trade.space.find(kind, name) is None, within=120, what=what)


def installing(trade: Operated) -> Iterator[Chaincode]:
    """One chaincode after another, from its sources to Ready."""
    for number in count(1):
        yield Chaincode(trade, name=f"killing{number:03}", version="v000")


def upgrading(trade: Operated) -> Iterator[Chaincode]:
    """One that is there already, from each version to the next; the old runtime goes."""
    for number in count(1):
        versions = f"v{number:03}", f"v{number - 1:03}"
        yield Chaincode(trade, "upgraded", *versions)


def test_a_kill_at_any_call_changes_nothing_in_the_end(
    alone: Operated, tmp_path: Path, say: Say
) -> None:
    stories = installing(alone)
    hold(alone, tmp_path, say, stories=lambda: next(stories), every=EVERY)


def test_a_kill_at_any_call_of_an_upgrade_changes_nothing_in_the_end(
    alone: Operated, tmp_path: Path, say: Say
) -> None:
    first = Chaincode(alone, "upgraded", "v000")
    with alone.start(tmp_path, name="operator"):
        first.ask()
        wait_until(first.is_done, within=240, what="the chaincode that is upgraded")
    stories = upgrading(alone)
    hold(alone, tmp_path, say, stories=lambda: next(stories), every=EVERY)
