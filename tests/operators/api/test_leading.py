"""Two operators on one namespace: one works, and one that was stopped does nothing late."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from harness.kubernetes.api import Api
from harness.operating.account import Account
from harness.operating.fixtures import Cluster, is_quiet, metric, reason_is
from harness.operating.process import OperatorProcess
from harness.operating.world import Namespace
from harness.processes import wait_until

pytestmark = pytest.mark.kubernetes

TAKEOVER = 40.0
Say = Callable[[str], None]


def lease(api: Api, account: Account) -> dict[str, Any]:
    """The spec of the namespace's Lease; empty before there is one."""
    path = f"/apis/coordination.k8s.io/v1/namespaces/{account.namespace}/leases/treadle-operator"
    answer = api.get(path)
    return {} if answer.code == 404 else answer.expect()["spec"]


def holds(space: Namespace, account: Account, identity: str, *, within: float = TAKEOVER) -> None:
    """Return once *identity* holds the Lease."""
    wait_until(
        lambda: lease(space.api, account).get("holderIdentity") == identity,
        within=within,
        what=f"{identity} holding the lease",
    )


@pytest.fixture
def operator(account: Account, cluster: Cluster, tmp_path: Path) -> Any:
    """Start an operator with an identity, watching the test's namespace."""
    with ExitStack() as stack:

        def begin(identity: str) -> OperatorProcess:
            process = OperatorProcess(
                account, tmp_path, server=cluster.server, name=identity, identity=identity
            )
            return stack.enter_context(process)

        yield begin


Begin = Callable[[str], OperatorProcess]


def reconciles(process: OperatorProcess) -> float:
    return metric(process, "treadle_operator_reconciles_total")


def writes(process: OperatorProcess) -> float:
    """What it sent to change anything but Leases, whatever the answer was."""
    labels = r'resource="(?!leases)[a-z]+",status="[0-9]+",verb="(?!GET)[A-Z]+"'
    return metric(process, rf"treadle_operator_api_calls_total{{{labels}}}")


def test_one_works_and_one_takes_over_at_once_when_it_ends(
    space: Namespace, operator: Begin, account: Account
) -> None:
    first = operator("first")
    holds(space, account, "first")
    second = operator("second")
    is_quiet(second, reconciles=0)
    space.create_peer()
    reason_is(space, "PeerStarting")
    epoch = lease(space.api, account)["leaseTransitions"]
    assert reconciles(second) == 0

    first.started.stop()
    holds(space, account, "second", within=10)  # not the lease's fifteen seconds
    assert lease(space.api, account)["leaseTransitions"] == epoch + 1
    wait_until(lambda: reconciles(second) > 0, within=30, what="the second one working")
    space.create_peer("peer1")
    reason_is(space, "PeerStarting", "peer1")


def test_a_leader_that_was_stopped_writes_nothing_when_it_goes_on(
    space: Namespace, operator: Begin, account: Account, say: Say
) -> None:
    first = operator("first")
    holds(space, account, "first")
    space.create_peer()
    reason_is(space, "PeerStarting")
    epoch = lease(space.api, account)["leaseTransitions"]
    second = operator("second")
    before = writes(first)
    assert before > 0
    os.kill(first.pid, signal.SIGSTOP)
    try:
        # What the first one will see when it goes on is work: it watches these, too.
        for number in range(1, 6):
            space.create_peer(f"peer{number}")
        holds(space, account, "second")
        assert lease(space.api, account)["leaseTransitions"] == epoch + 1
        for number in range(1, 6):
            reason_is(space, "PeerStarting", f"peer{number}")
    finally:
        os.kill(first.pid, signal.SIGCONT)
    for number in range(6, 9):
        space.create_peer(f"peer{number}")
        reason_is(space, "PeerStarting", f"peer{number}")
    wait_until(
        lambda: "not working any more" in first.started.text(),
        within=30,
        what="the first one knowing it",
    )
    assert writes(first) == before
    assert lease(space.api, account)["holderIdentity"] == "second"
    say(f"epoch {epoch} stopped, {epoch + 1} took over; the stopped one wrote nothing more")
    second.started.stop()
    holds(space, account, "first")
    space.create_peer("peer9")
    reason_is(space, "PeerStarting", "peer9")
    assert writes(first) > before
