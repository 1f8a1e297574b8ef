"""A Peer against a real API server, by an operator that may do only what its Role says."""

from __future__ import annotations

import base64
import json
import re

import pytest
from cryptography import x509
from harness.operating.account import Account
from harness.operating.fixtures import Cluster, Start, is_quiet, reason_is
from harness.operating.world import Body, Namespace, secret_bytes
from harness.processes import wait_until

pytestmark = pytest.mark.kubernetes

OWNED = {
    "StatefulSet": ["peer0"],
    "Service": ["peer0", "peer0-internal"],
    "ConfigMap": ["peer0-config"],
    "ServiceAccount": ["peer0"],
    "NetworkPolicy": ["peer0"],
}


def owners(body: dict[str, object]) -> list[str]:
    metadata = body["metadata"]
    assert isinstance(metadata, dict)
    return [owner["uid"] for owner in metadata.get("ownerReferences", [])]


def of_operator(space: Namespace, kind: str) -> list[str]:
    """Names of what the operator made."""
    label = "app.kubernetes.io/managed-by"
    return [
        body["metadata"]["name"]
        for body in space.all(kind)
        if body["metadata"].get("labels", {}).get(label) == "treadle-operator"
    ]


def organization(space: Namespace) -> Body:
    """What the Secret with the organisation's authorities holds."""
    secrets = {one["metadata"]["name"]: one["data"] for one in space.all("Secret")}
    (found,) = [name for name in secrets if re.fullmatch("org-.*-authority", name)]
    data: Body = secrets[found]
    return data


def test_children_appear_once_and_are_the_peers_own(space: Namespace, start: Start) -> None:
    peer = space.create_peer()
    start()
    reason_is(space, "PeerStarting")
    for kind, names in OWNED.items():
        assert of_operator(space, kind) == names
        for name in names:
            assert owners(space.get(kind, name)) == [peer["metadata"]["uid"]]
    made_anew = {"peer0-operator", "peer0-operator-authority", "peer0-runtime"}
    secrets = {one["metadata"]["name"]: owners(one) for one in space.all("Secret")}
    assert sorted(secrets) == of_operator(space, "Secret")
    kept = {name for name, owned_by in secrets.items() if owned_by == []}
    assert len(kept) == 4, "the organisation, an admin, the peer's MSP and its TLS"
    assert secrets.keys() - kept == made_anew


def test_a_ready_pod_whose_peer_nobody_reaches_does_not_make_the_peer_ready(
    space: Namespace, start: Start
) -> None:
    space.create_peer()
    start()
    reason_is(space, "PeerStarting")
    assert space.condition()[0] == "False"
    space.pod_becomes_ready()
    reason_is(space, "PeerUnavailable")
    assert space.condition()[0] == "False"
    assert "Peer peer0 does not answer" in space.condition()[2]
    status = space.get("Peer", "peer0")["status"]
    assert status["observedGeneration"] == 1
    assert status["endpoints"]["peer"] == f"peer0.{space.name}.svc:7051"
    path = space.path("StatefulSet", "peer0", "status")
    space.api.merge(path, {"status": {"readyReplicas": 0}}).expect()
    reason_is(space, "PeerStarting")
    assert space.condition()[0] == "False"


def test_why_the_pod_does_not_start_is_in_the_condition(space: Namespace, start: Start) -> None:
    space.create_peer()
    start()
    reason_is(space, "PeerStarting")
    template = space.get("StatefulSet", "peer0")["spec"]["template"]
    labels, spec = template["metadata"]["labels"], template["spec"]
    # The namespace takes restricted pods only; of the rest nothing matters here.
    allowed = spec["containers"][0]["securityContext"]
    container = {"name": "peer", "image": "i", "securityContext": allowed}
    restricted = {"securityContext": spec["securityContext"], "containers": [container]}
    pod = {"metadata": {"name": "peer0-0", "labels": labels}, "spec": restricted}
    pods = f"/api/v1/namespaces/{space.name}/pods"
    space.api.create(pods, pod).expect()
    state = {
        **{"name": "peer", "image": "i", "imageID": "", "ready": False, "restartCount": 3},
        "state": {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 40s"}},
        "lastState": {"terminated": {"exitCode": 1, "message": "Error: the disk is full"}},
    }
    status = {"status": {"containerStatuses": [state]}}
    space.api.merge(f"{pods}/peer0-0/status", status).expect()
    reason_is(space, "PodCrashing")
    assert space.condition()[2] == (
        "back-off 40s; it ended with exit code 1: Error: the disk is full"
    )


def test_each_transition_makes_one_event_also_over_a_restart(
    space: Namespace, start: Start
) -> None:
    space.create_peer()
    first = start()
    reason_is(space, "PeerStarting")
    space.pod_becomes_ready()
    reason_is(space, "PeerUnavailable")
    first.started.stop()
    second = start()
    is_quiet(second, reconciles=1)
    told = sorted(event["reason"] for event in space.all("Event"))
    assert told == ["Generated", "PeerStarting", "PeerUnavailable"]
    involved = {event["involvedObject"]["name"] for event in space.all("Event")}
    assert involved == {"peer0"}


def test_an_operator_that_starts_again_writes_nothing(
    space: Namespace, start: Start, cluster: Cluster, account: Account
) -> None:
    space.create_peer(resources={"requests": {"cpu": "1000m"}})
    space.create_peer("peer1", external={"host": "a.b", "service": {"type": "NodePort"}})
    first = start()
    for name in ("peer0", "peer1"):
        reason_is(space, "PeerStarting", name)
        space.pod_becomes_ready(name)
        reason_is(space, "PeerUnavailable", name)
    first.started.stop()
    before = cluster.writes(account)
    assert before
    second = start()
    is_quiet(second, reconciles=2)
    assert cluster.writes(account) == before


def test_what_others_change_is_changed_back(space: Namespace, start: Start) -> None:
    space.create_peer()
    start()
    reason_is(space, "PeerStarting")
    before = space.dump()
    changes: list[tuple[str, str, dict[str, object]]] = [
        ("Service", "peer0", {"spec": {"selector": {"app": "other"}}}),
        ("ConfigMap", "peer0-config", {"data": {"core.yaml": "nonsense"}}),
        ("StatefulSet", "peer0", {"spec": {"replicas": 3}}),
        ("NetworkPolicy", "peer0", {"spec": {"ingress": [{}]}}),
        ("Peer", "peer0", {"metadata": {"labels": None}}),
    ]
    for kind, name, change in changes:
        space.api.merge(space.path(kind, name), change).expect()
    space.api.delete(space.path("Service", "peer0-internal")).expect()
    space.api.delete(space.path("ServiceAccount", "peer0")).expect()
    wait_until(lambda: space.dump() == before, within=60, what="everything as it was")


def test_fields_that_the_spec_gives_up_go_and_those_of_others_stay(
    space: Namespace, start: Start
) -> None:
    space.create_peer(nodeSelector={"disk": "fast"})
    start()
    reason_is(space, "PeerStarting")
    others = {"metadata": {"annotations": {"backup/wanted": "yes"}}}
    space.api.merge(space.path("StatefulSet", "peer0"), others).expect()
    space.api.merge(space.path("Peer", "peer0"), {"spec": {"nodeSelector": None}}).expect()

    def gone() -> bool:
        template = space.get("StatefulSet", "peer0")["spec"]["template"]
        return "nodeSelector" not in template["spec"]

    wait_until(gone, within=60, what="the node selector being gone")
    annotations = space.get("StatefulSet", "peer0")["metadata"]["annotations"]
    assert annotations["backup/wanted"] == "yes"


def test_an_external_service_comes_and_goes(space: Namespace, start: Start) -> None:
    space.create_peer(external={"host": "p.example.com:443", "service": {"type": "NodePort"}})
    start()
    reason_is(space, "PeerStarting")
    ports = space.get("Service", "peer0-external")["spec"]["ports"]
    assert [port["port"] for port in ports] == [7051, 7050], "never the operations port"
    status = space.get("Peer", "peer0")["status"]
    assert status["endpoints"]["external"] == "p.example.com:443"
    space.api.merge(space.path("Peer", "peer0"), {"spec": {"external": None}}).expect()
    wait_until(
        lambda: space.find("Service", "peer0-external") is None, within=60, what="it being gone"
    )


def test_a_new_host_name_is_in_a_new_certificate_and_the_pod_takes_it(
    space: Namespace, start: Start
) -> None:
    space.create_peer()
    start()
    reason_is(space, "PeerStarting")

    def fingerprint() -> str:
        template = space.get("StatefulSet", "peer0")["spec"]["template"]
        found: str = template["metadata"]["annotations"]["treadle.dev/fingerprint"]
        return found

    before, authority = fingerprint(), organization(space)
    change = {"spec": {"external": {"host": "p.example.com"}, "deletionPolicy": "Delete"}}
    space.api.merge(space.path("Peer", "peer0"), change).expect()
    wait_until(lambda: fingerprint() != before, within=60, what="the pod's new template")
    material = secret_bytes(space.get("Secret", "peer0-tls"))
    certificate = x509.load_pem_x509_certificate(material["tls.crt"])
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    assert "p.example.com" in names.value.get_values_for_type(x509.DNSName)
    assert organization(space) == authority
    # A change of owners later on must not take the data along.
    keep = {"spec": {"deletionPolicy": "Retain"}}
    space.api.merge(space.path("Peer", "peer0"), keep).expect()
    wait_until(lambda: owners(space.get("Secret", "peer0-tls")) == [], within=60, what="no owner")
    assert secret_bytes(space.get("Secret", "peer0-tls")) == material


def test_no_key_is_anywhere_but_in_secrets(space: Namespace, start: Start) -> None:
    space.create_peer()
    process = start()
    reason_is(space, "PeerStarting")
    keys = [
        value
        for secret in space.all("Secret")
        for value in secret_bytes(secret).values()
        if b"PRIVATE KEY" in value
    ]
    assert len(keys) == 8
    elsewhere = process.started.text() + "".join(
        json.dumps(space.all(kind)) for kind in (*OWNED, "Peer", "Event")
    )
    for key in keys:
        body = key.decode().splitlines()[1]
        assert body not in elsewhere
        assert base64.b64encode(key).decode()[:60] not in elsewhere
