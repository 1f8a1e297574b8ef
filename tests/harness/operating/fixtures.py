"""What tests of the operator wait for and look at."""

from __future__ import annotations

import re
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from harness.kubernetes.control_plane import ControlPlane
from harness.operating.account import Account
from harness.operating.process import OperatorProcess
from harness.operating.rights import Audit
from harness.operating.world import Namespace
from harness.processes import wait_until

WITHIN = 60.0
Start = Callable[..., OperatorProcess]


@dataclass(frozen=True, slots=True)
class Cluster:
    """An API server with our definitions, and its audit log."""

    plane: ControlPlane
    audit: Audit

    @property
    def server(self) -> str:
        return f"https://127.0.0.1:{self.plane.port}"

    def asked(self, account: Account) -> list[dict[str, Any]]:
        """The audit events of everything that *account* has asked for."""
        return self.audit.events(account)

    def writes(self, account: Account) -> list[str]:
        """Verb and path of all its writes, but for those that keep its lease."""
        return [
            f"{event['verb']} {event['requestURI']}"
            for event in self.asked(account)
            if event["verb"] not in {"get", "list", "watch"}
            and event.get("objectRef", {}).get("resource") != "leases"
        ]


def reason_is(space: Namespace, reason: str, peer: str = "peer0") -> None:
    """Return once the Peer's Ready condition has this reason."""
    wait_until(
        lambda: space.condition(peer=peer)[1] == reason,
        within=WITHIN,
        what=f"{reason} of {peer}",
    )


def metric(process: OperatorProcess, pattern: str) -> float:
    """The sum of the samples whose line matches *pattern*."""
    with urllib.request.urlopen(f"http://127.0.0.1:{process.port}/metrics", timeout=5) as answer:
        text = answer.read().decode()
    found = re.findall(rf"^{pattern}\S* (\S+)$", text, re.MULTILINE)
    return sum(map(float, found))


def is_quiet(process: OperatorProcess, *, reconciles: int, within: float = WITHIN) -> None:
    """Return once it has reconciled at least so often and everything that waits is done."""

    def quiet() -> bool:
        assert process.started.running(), process.started.text()
        try:
            done = metric(process, "treadle_operator_reconciles_total")
            return done >= reconciles and metric(process, "treadle_operator_waiting") == 0
        except OSError:
            return False

    wait_until(quiet, within=within, what="the operator having nothing to do")
