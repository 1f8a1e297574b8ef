"""The Role of the chart is enough, and no more than enough."""

from __future__ import annotations

import pytest
from harness.operating.account import Account, rules
from harness.operating.fixtures import Cluster, Start, is_quiet, reason_is
from harness.operating.world import Namespace
from harness.processes import wait_until

pytestmark = pytest.mark.kubernetes

# The API server's admission asks for these when an owner is set; nobody sends such a request.
OF_ADMISSION = {("peers/finalizers", "update"), ("secrets", "delete")}
EXTERNAL = {"host": "p.example.com", "service": {"type": "NodePort"}}


def allowed() -> set[tuple[str, str]]:
    return {
        (resource, verb)
        for rule in rules()
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }


def test_no_request_is_refused_and_no_right_is_left_over(
    space: Namespace, start: Start, cluster: Cluster, account: Account
) -> None:
    storage = {"size": "10Gi"}
    space.create_peer(deletionPolicy="Delete", external=EXTERNAL, storage=storage)
    space.create_package()
    space.create_instantiation()
    process = start()
    reason_is(space, "PeerStarting")
    wait_until(lambda: _package_reason(space) == "PeerNotReady", within=60, what="its reason")
    template = space.get("StatefulSet", "peer0")["spec"]["volumeClaimTemplates"][0]
    metadata = {**template["metadata"], "name": "ledger-peer0-0"}
    body = {"metadata": metadata, "spec": template["spec"]}
    space.api.create(space.path("PersistentVolumeClaim"), body).expect()
    change = {"spec": {"external": None, "storage": {"size": "20Gi"}}}
    space.api.merge(space.path("Peer", "peer0"), change).expect()
    wait_until(
        lambda: space.condition("StorageReady")[1] == "SizeRefused", within=60, what="the answer"
    )
    wait_until(
        lambda: space.find("Service", "peer0-external") is None, within=60, what="it being gone"
    )
    space.api.delete(space.path("Peer", "peer0")).expect()
    is_quiet(process, reconciles=3)
    wait_until(lambda: _renewed(cluster, account), within=60, what="the lease being renewed")
    # Whoever is known may ask what kinds there are; those requests name no object.
    asked = [event for event in cluster.asked(account) if "objectRef" in event]
    # A volume that no provisioner has bound cannot grow: that refusal is not about rights.
    growing = [event for event in asked if "persistentvolumeclaims/" in event["requestURI"]]
    refused = [
        event["requestURI"]
        for event in asked
        if event["responseStatus"]["code"] in {401, 403} and event not in growing
    ]
    assert not refused
    assert {event["annotations"]["authorization.k8s.io/decision"] for event in asked} == {"allow"}
    used = {(_resource(event["objectRef"]), event["verb"]) for event in asked}
    creating = {(resource, "create") for resource, verb in used if verb == "patch"}
    assert used <= allowed()
    assert allowed() - used - creating == OF_ADMISSION


def _package_reason(space: Namespace) -> str:
    return space.condition("Ready", "asset-1.0", of="ChaincodePackage")[1]


def _renewed(cluster: Cluster, account: Account) -> bool:
    asked = [event for event in cluster.asked(account) if event["verb"] == "patch"]
    return any(event["objectRef"]["resource"] == "leases" for event in asked)


def _resource(reference: dict[str, str]) -> str:
    part = reference.get("subresource")
    return f"{reference['resource']}/{part}" if part else reference["resource"]
