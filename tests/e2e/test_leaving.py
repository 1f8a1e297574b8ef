"""Everything goes as fast as Kubernetes lets it: a namespace, a release."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from e2e import wanted
from e2e.kubectl import Kubectl

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900)]
WITHIN = 60.0


@pytest.fixture
def busy(
    trade: Kubectl, new_namespace: Callable[[str], Kubectl], request: pytest.FixtureRequest
) -> Kubectl:
    """A namespace of its own with an operator and a Peer that is Ready."""
    there = new_namespace(request.function.__name__.replace("_", "-")[5:45].strip("-"))
    there.apply(wanted.peer())
    there.wait("peers.treadle.dev/peer0", "condition=Ready", within=180)
    return there


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
    for kind in ("chaincodeinstantiations", "chaincodepackages", "peers"):
        busy.run("delete", f"{kind}.treadle.dev", "--all", "--timeout=60s")
    busy.run("wait", "pod/peer0-0", "--for=delete", "--timeout=60s")
    taken = time.monotonic() - begun
    say(f"release and objects were gone after {taken:.1f} s")
    assert taken < WITHIN
    assert busy.get("peers.treadle.dev")["items"] == []
    assert busy.get("statefulsets,deployments,jobs")["items"] == []
