"""The release itself: its own test, and an operator that takes over from another."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from e2e import wanted
from e2e.kubectl import Kubectl
from harness.processes import wait_until

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900)]

TAKEOVER = 60.0


def lease(there: Kubectl) -> dict[str, Any]:
    found: dict[str, Any] = there.get("lease", "treadle-operator")["spec"]
    return found


@pytest.fixture
def two(trade: Kubectl) -> Iterator[Kubectl]:
    """With a second operator, which waits."""
    upgrade = ("upgrade", "treadle", "charts/treadle", "--reuse-values", "--wait", "--timeout=3m")
    trade.helm(*upgrade, "--set=replicas=2", within=200)
    yield trade
    trade.run("delete", "peers.treadle.dev/late", "--ignore-not-found", "--timeout=60s")
    trade.helm(*upgrade, "--set=replicas=1", within=200)


def test_helm_test_finds_the_operator_healthy(trade: Kubectl) -> None:
    said = trade.helm("test", "treadle", "--timeout=2m", within=150)
    assert "Phase:          Succeeded" in said


def test_the_operator_that_waits_takes_over_when_the_other_is_gone(
    two: Kubectl, say: Callable[[str], None]
) -> None:
    before = lease(two)
    begun = time.monotonic()
    two.run("delete", "pod", before["holderIdentity"], "--grace-period=0", "--force")
    wait_until(
        lambda: lease(two)["leaseTransitions"] > before["leaseTransitions"],
        within=TAKEOVER,
        what="another holder of the lease",
    )
    say(f"another operator leads after {time.monotonic() - begun:.1f} s")
    assert lease(two)["holderIdentity"] != before["holderIdentity"]
    two.apply(wanted.peer("late"))
    two.wait("peers.treadle.dev/late", "jsonpath={.status.observedGeneration}=1", within=60)
    two.wait("peers.treadle.dev/peer0", "condition=Ready", within=60)
