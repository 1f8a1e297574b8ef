"""What cannot be done is said in a condition, and done once it can be."""

from __future__ import annotations

import pytest
from harness.operating.fixtures import Cluster, Start, reason_is
from harness.operating.world import Namespace
from harness.processes import wait_until

pytestmark = pytest.mark.kubernetes


def claim(space: Namespace, storage_class: str) -> None:
    """The claim as the StatefulSet's controller makes it, and bound by a provisioner."""
    template = space.get("StatefulSet", "peer0")["spec"]["volumeClaimTemplates"][0]
    metadata = {**template["metadata"], "name": "ledger-peer0-0"}
    spec = {**template["spec"], "storageClassName": storage_class}
    body = {"metadata": metadata, "spec": spec}
    space.api.create(space.path("PersistentVolumeClaim"), body).expect()
    path = space.path("PersistentVolumeClaim", "ledger-peer0-0", "status")
    space.api.merge(path, {"status": {"phase": "Bound"}}).expect()


@pytest.fixture(scope="module")
def classes(cluster: Cluster) -> None:
    for name, grows in (("grows", True), ("rigid", False)):
        body = {
            "metadata": {"name": name},
            "provisioner": "example.com/none",
            "allowVolumeExpansion": grows,
        }
        cluster.plane.api.create("/apis/storage.k8s.io/v1/storageclasses", body).expect()


def asked(space: Namespace) -> str:
    found: str = space.get("PersistentVolumeClaim", "ledger-peer0-0")["spec"]["resources"][
        "requests"
    ]["storage"]
    return found


@pytest.mark.usefixtures("classes")
def test_a_volume_grows_where_its_class_lets_it(space: Namespace, start: Start) -> None:
    space.create_peer(storage={"size": "10Gi", "storageClassName": "grows"})
    start()
    reason_is(space, "PeerStarting")
    claim(space, "grows")
    space.api.merge(space.path("Peer", "peer0"), {"spec": {"storage": {"size": "20Gi"}}}).expect()
    wait_until(lambda: asked(space) == "20Gi", within=60, what="the larger claim")
    wait_until(
        lambda: "20Gi" in space.condition("StorageReady")[2], within=60, what="the condition"
    )
    assert space.condition("StorageReady")[0] == "True"
    template = space.get("StatefulSet", "peer0")["spec"]["volumeClaimTemplates"][0]
    assert template["spec"]["resources"]["requests"]["storage"] == "10Gi"


@pytest.mark.usefixtures("classes")
def test_a_volume_that_cannot_grow_is_said_and_the_peer_goes_on(
    space: Namespace, start: Start
) -> None:
    space.create_peer(storage={"size": "10Gi", "storageClassName": "rigid"})
    start()
    reason_is(space, "PeerStarting")
    claim(space, "rigid")
    space.api.merge(space.path("Peer", "peer0"), {"spec": {"storage": {"size": "20Gi"}}}).expect()
    wait_until(
        lambda: space.condition("StorageReady")[1] == "SizeRefused", within=60, what="the refusal"
    )
    assert "cannot grow to 20Gi" in space.condition("StorageReady")[2]
    space.pod_becomes_ready()
    reason_is(space, "PeerUnavailable")


def test_a_name_that_is_taken_is_not_taken_over(space: Namespace, start: Start) -> None:
    port = {"port": 80}
    body = {"metadata": {"name": "peer0"}, "spec": {"ports": [port]}}
    before = space.api.create(space.path("Service"), body).expect()
    space.create_peer()
    start()
    reason_is(space, "NameTaken")
    assert "Service peer0 is there already" in space.condition()[2]
    assert space.get("Service", "peer0") == before
    assert space.all("StatefulSet") == []
    space.api.delete(space.path("Service", "peer0")).expect()
    reason_is(space, "PeerStarting")


def test_a_child_that_is_not_accepted_is_named_with_the_servers_words(
    space: Namespace, start: Start
) -> None:
    space.create_peer(nodeSelector={"disk": "not a label value"})
    start()
    reason_is(space, "ChildRejected")
    assert "StatefulSet peer0" in space.condition()[2]
    assert "not a label value" in space.condition()[2]
    change = {"spec": {"nodeSelector": {"disk": "fast"}}}
    space.api.merge(space.path("Peer", "peer0"), change).expect()
    reason_is(space, "PeerStarting")


def test_what_this_version_cannot_do_is_said(space: Namespace, start: Start) -> None:
    external = {"endpoints": ["o.example.com:7050"], "tlsCASecretRef": {"name": "ca"}}
    space.create_peer(ordering={"external": external}, channels=[])
    start()
    reason_is(space, "InvalidSpec")
    assert space.condition()[2].startswith("spec.ordering.external: ")
    assert space.all("Secret") == []


def test_a_peer_that_is_being_deleted_is_left_alone(space: Namespace, start: Start) -> None:
    space.create_peer()
    held = {"metadata": {"finalizers": ["example.com/held"]}}
    space.api.merge(space.path("Peer", "peer0"), held).expect()
    space.api.delete(space.path("Peer", "peer0")).expect()
    space.create_peer("peer1")
    start()
    reason_is(space, "PeerStarting", "peer1")
    assert space.find("StatefulSet", "peer0") is None
    space.api.merge(space.path("Peer", "peer0"), {"metadata": {"finalizers": None}}).expect()


def test_a_missing_right_is_said(space: Namespace, start: Start, cluster: Cluster) -> None:
    path = f"/apis/rbac.authorization.k8s.io/v1/namespaces/{space.name}/roles/treadle-operator"
    rules = cluster.plane.api.get(path).expect()["rules"]
    for rule in rules:
        if "statefulsets" in rule["resources"]:
            rule["verbs"].remove("create")
    cluster.plane.api.merge(path, {"rules": rules}).expect()
    space.create_peer()
    start()
    reason_is(space, "NotAllowed")
    assert 'cannot create resource "statefulsets"' in space.condition()[2]


@pytest.mark.long  # kopf asks again for 54 s
def test_an_operator_that_may_not_watch_ends_and_says_so(
    space: Namespace, start: Start, cluster: Cluster
) -> None:
    path = f"/apis/rbac.authorization.k8s.io/v1/namespaces/{space.name}/roles/treadle-operator"
    cluster.plane.api.merge(path, {"rules": []}).expect()
    operator = start()
    assert operator.started.wait(within=120) == 1
    assert "cannot list resource" in operator.started.text()
