"""A runtime's own pods are those that its Deployment has, whatever others call themselves."""

from __future__ import annotations

from typing import Any

import pytest
from treadle_operator.reconcile.runtime_objects import Live

NAME = "peer0-asset-1-0-0abde6e032"
HASH = "7b859689d5"


def pod(name: str, *, owner: dict[str, Any] | None, **labels: str) -> dict[str, Any]:
    """A pod that has the labels of the runtime's pods, and says what owns it."""
    own = {"app.kubernetes.io/component": "chaincode", "treadle.dev/runtime": NAME, **labels}
    owners = [] if owner is None else [owner]
    return {"metadata": {"name": name, "labels": own, "ownerReferences": owners}}


def replica_set(name: str = f"{NAME}-{HASH}", **fields: object) -> dict[str, Any]:
    kind = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": name, "uid": "1"}
    return {**kind, "controller": True, **fields}


def live(*pods: dict[str, Any]) -> Live:
    return Live(
        name=NAME, job=None, deployment=None, secret=None, build_secret=None, pods=list(pods)
    )


def test_the_pods_of_the_deployments_replica_sets_are_the_runtimes() -> None:
    own = pod("a", owner=replica_set(), **{"pod-template-hash": HASH})
    older = replica_set(f"{NAME}-5c9f7d7b")
    also = pod("b", owner=older, **{"pod-template-hash": "5c9f7d7b"})
    assert live(own, also).running == [own, also]


@pytest.mark.parametrize(
    "owner",
    [
        None,
        replica_set("another-7b859689d5"),
        replica_set(controller=False),
        replica_set(kind="Job", apiVersion="batch/v1"),
        replica_set(f"{NAME}-2-{HASH}"),
    ],
)
def test_a_pod_that_only_bears_the_labels_is_not(owner: dict[str, Any] | None) -> None:
    assert live(pod("thief", owner=owner, **{"pod-template-hash": HASH})).running == []
