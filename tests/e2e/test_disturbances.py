"""Programs of the cluster die, people change their minds: all of it ends as if undisturbed."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from e2e.accounts import CHANNEL
from e2e.conftest import Connect
from e2e.counters import Counter, new_counter
from e2e.kubectl import Kubectl
from e2e.local_cluster import Programs
from harness.fabric_cli import FabricCli
from harness.processes import wait_until
from treadle_operator.names import runtime_name

pytestmark = [pytest.mark.e2e, pytest.mark.real_fabric, pytest.mark.timeout(900)]

Say = Callable[[str], None]
GONE_SECONDS = 60.0


def counts(cli: FabricCli, counter: Counter) -> int:
    """What one more would be; the ledger keeps what it has."""
    return int(cli.query(counter.name, "next", channel=CHANNEL))


def served(there: Kubectl) -> bool:
    try:
        return there.run("get", "--raw=/readyz") == "ok"
    except AssertionError:
        return False


def test_a_build_goes_on_while_the_api_server_is_away(
    trade: Kubectl, programs: Programs, connected: Connect, say: Say
) -> None:
    counter = new_counter(trade, "away")
    counter.begin()
    programs.kill("kube-apiserver")
    assert not served(trade)
    programs.start("kube-apiserver")
    begun = time.monotonic()
    wait_until(lambda: served(trade), within=120, what="the API server being ready again")
    counter.ready()
    say(f"Ready {time.monotonic() - begun:.1f} s after the API server was started again")
    with connected(trade) as cli:
        assert counts(cli, counter) == 1
    trade.run("delete", counter.resource)


def test_a_chaincode_runs_on_while_containerd_is_away(
    trade: Kubectl, programs: Programs, connected: Connect, say: Say
) -> None:
    counter = new_counter(trade, "calm")
    counter.begin()
    counter.ready()
    printed = counter.printed("1")
    chosen = ("pods", "--selector=app.kubernetes.io/component=chaincode")
    before = restarts(trade.get(*chosen)["items"])
    programs.kill("containerd")
    programs.start("containerd")
    begun = time.monotonic()

    def invoked() -> bool:
        try:
            with connected(trade) as cli:
                cli.invoke(counter.name, "next", channel=CHANNEL)
        except AssertionError:
            return False
        return True

    wait_until(invoked, within=120, what="an invoke through a new port-forward")
    say(f"invoked through kubectl {time.monotonic() - begun:.1f} s after containerd was started")
    assert restarts(trade.get(*chosen)["items"]) == before
    assert counter.printed("1").startswith(printed)
    trade.run("rollout", "restart", counter.deployment("1"))  # pods can be made again, too
    trade.run("rollout", "status", counter.deployment("1"), "--timeout=120s", within=130)
    trade.run("delete", counter.resource)


def restarts(pods: list[dict[str, object]]) -> dict[str, int]:
    """How often each pod's containers were started anew."""
    return {
        pod["metadata"]["name"]: sum(  # type: ignore[index]
            state["restartCount"]
            for state in pod["status"]["containerStatuses"]  # type: ignore[index]
        )
        for pod in pods
    }


def test_a_wish_that_changes_during_a_build_ends_with_the_newer_version(
    trade: Kubectl, cli: FabricCli
) -> None:
    counter = new_counter(trade, "changed")
    counter.begin()
    trade.apply(counter.package("2"), counter.instantiation("2"))
    trade.wait(counter.resource, f"jsonpath={{.status.legacyID}}={counter.name}:2", within=300)
    counter.ready()
    assert f"Name: {counter.name}, Version: 2," in cli.instantiated(CHANNEL)
    assert counts(cli, counter) == 1
    wait_until(
        lambda: not children(counter, "1"),
        within=GONE_SECONDS,
        what="the end of all that was made for version 1",
    )
    trade.run("delete", counter.resource)


def test_a_wish_that_is_taken_back_during_a_build_leaves_nothing(
    trade: Kubectl, cli: FabricCli, say: Say
) -> None:
    counter = new_counter(trade, "dropped")
    counter.begin()
    begun = time.monotonic()
    trade.run("delete", counter.resource)
    wait_until(
        lambda: not children(counter, "1"),
        within=GONE_SECONDS,
        what=f"the end of all that was made for {counter.name}",
    )
    say(f"nothing was left {time.monotonic() - begun:.1f} s after a deletion during the build")
    assert counter.name not in cli.instantiated(CHANNEL)


def children(counter: Counter, version: str) -> str:
    """What there is of a version's Jobs, Deployments, Secrets and pods."""
    name = runtime_name("peer0", f"{counter.name}:{version}")
    kinds = "jobs,deployments,replicasets,secrets,pods"
    return counter.there.run("get", kinds, f"--selector=treadle.dev/runtime={name}", "-oname")
