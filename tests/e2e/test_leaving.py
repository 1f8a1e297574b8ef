"""Everything goes as fast as Kubernetes lets it: a namespace, a release."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from e2e import wanted
from e2e.counters import new_counter
from e2e.kubectl import Kubectl
from harness.processes import wait_until

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900)]
WITHIN = 60.0
KINDS = ("chaincodeinstantiations", "chaincodepackages", "peers")
MADE = "statefulsets,deployments,replicasets,jobs,pods,services,configmaps,networkpolicies"


@pytest.fixture
def busy(
    trade: Kubectl, new_namespace: Callable[[str], Kubectl], request: pytest.FixtureRequest
) -> Kubectl:
    """A namespace of its own with an operator and a Peer that is Ready."""
    there = new_namespace(request.function.__name__.replace("_", "-")[5:45].strip("-"))
    there.apply(wanted.peer())
    there.wait("peers.treadle.dev/peer0", "condition=Ready", within=180)
    return there


@pytest.mark.real_fabric
def test_without_any_operator_everything_can_be_deleted(
    busy: Kubectl, say: Callable[[str], None]
) -> None:
    counter = new_counter(busy, "running")
    busy.apply(counter.package("1"), counter.instantiation("1"))
    counter.ready()
    scale(busy, 0)
    begun = time.monotonic()
    for kind in KINDS:
        busy.run("delete", f"{kind}.treadle.dev", "--all", "--timeout=60s")
    wait_until(lambda: not children(busy), within=WITHIN, what="the end of all that was made")
    say(f"all objects and what was made for them were gone after {time.monotonic() - begun:.1f} s")
    busy.run("delete", "namespace", busy.namespace, "--timeout=60s")
    taken = time.monotonic() - begun
    say(f"the namespace, too, after {taken:.1f} s")
    assert taken < WITHIN
    assert busy.run("get", "namespace", busy.namespace, "--ignore-not-found") == ""
    assert volumes(busy) == []


def scale(there: Kubectl, replicas: int) -> None:
    """As many operators; those that go are gone."""
    there.run("scale", "deployment/treadle-operator", f"--replicas={replicas}")
    chosen = "--selector=app.kubernetes.io/component=operator"
    wait_until(
        lambda: len(there.get("pods", chosen)["items"]) == replicas,
        within=WITHIN,
        what=f"{replicas} operators",
    )


def children(there: Kubectl) -> str:
    """What there is of what an operator made; Secrets and volumes of a Peer are retained."""
    ours = "--selector=app.kubernetes.io/managed-by=treadle-operator"
    return there.run("get", MADE, ours, "--output=name")


def volumes(there: Kubectl) -> list[str]:
    """What is still there of the volumes of a namespace, as claims."""
    found = there.get("persistentvolumes")["items"]
    claims = [one["spec"]["claimRef"] for one in found]
    return [one["name"] for one in claims if one["namespace"] == there.namespace]


def test_a_namespace_goes_with_everything_running(
    busy: Kubectl, say: Callable[[str], None]
) -> None:
    begun = time.monotonic()
    busy.run("delete", "namespace", busy.namespace, "--timeout=60s")
    say(f"the namespace was gone after {time.monotonic() - begun:.1f} s")
    assert busy.run("get", "namespace", busy.namespace, "--ignore-not-found") == ""


def test_after_helm_uninstall_every_object_can_be_deleted(
    busy: Kubectl, say: Callable[[str], None]
) -> None:
    begun = time.monotonic()
    busy.helm("uninstall", "treadle", "--wait", "--timeout=60s")
    for kind in KINDS:
        busy.run("delete", f"{kind}.treadle.dev", "--all", "--timeout=60s")
    busy.run("wait", "pod/peer0-0", "--for=delete", "--timeout=60s")
    taken = time.monotonic() - begun
    say(f"release and objects were gone after {taken:.1f} s")
    assert taken < WITHIN
    assert busy.get("peers.treadle.dev")["items"] == []
    assert busy.get("statefulsets,deployments,jobs")["items"] == []
