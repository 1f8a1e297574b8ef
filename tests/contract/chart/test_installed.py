"""The chart installed by the real helm on a real API server; nothing there runs pods."""

from __future__ import annotations

import json
import re
import time
from typing import Any

import pytest
from harness.kubernetes.api import Answer
from harness.kubernetes.chart import CHART, Helm
from harness.kubernetes.control_plane import ControlPlane
from harness.kubernetes.resources import PLURALS, collection
from harness.operating.account import rules
from harness.processes import wait_until

pytestmark = pytest.mark.kubernetes


def dry_run(bare: ControlPlane, namespace: str, spec: dict[str, Any]) -> Answer:
    """The API server's opinion of a pod."""
    manifest = {"metadata": {"name": "asked"}, "spec": spec}
    return bare.api.create(f"/api/v1/namespaces/{namespace}/pods?dryRun=All", manifest)


def served(bare: ControlPlane) -> bool:
    return all(bare.api.get(collection(kind)).accepted for kind in PLURALS)


def test_it_is_installed_told_about_upgraded_and_taken_away(
    bare: ControlPlane, installer: Helm, namespace: str
) -> None:
    place = ("treadle", str(CHART), "--namespace", namespace)
    notes = installer.run("install", *place).expect()
    wait_until(lambda: served(bare), within=30, what="the custom resources being served")
    group = f"/apis/rbac.authorization.k8s.io/v1/namespaces/{namespace}"
    role = bare.api.get(f"{group}/roles/treadle-operator").expect()
    assert role["rules"] == rules()

    lease = f"/apis/coordination.k8s.io/v1/namespaces/{namespace}/leases/treadle-operator"
    assert "spec" not in bare.api.get(lease).expect() or not bare.api.get(lease).body["spec"]
    held = {"holderIdentity": "a", "leaseDurationSeconds": 15, "leaseTransitions": 7}
    bare.api.merge(lease, {"spec": held}).expect()

    # The notes' own first peer is accepted.
    (manifest,) = re.findall(r"echo '(\{.+\})'", notes)
    bare.kubectl("-n", namespace, "apply", "-f", "-", stdin=manifest)
    assert "the namespace is the boundary" in notes
    assert "keeps the custom resource definitions" in notes
    assert "asks for at docker.io/treadle, which is not ours" in notes

    own = ("--set", "images.registry=registry.example.com/treadle")
    notes = installer.run("upgrade", *place, "--set", "replicas=2", *own).expect()
    assert "docker.io" not in notes
    deployment = f"/apis/apps/v1/namespaces/{namespace}/deployments/treadle-operator"
    assert bare.api.get(deployment).expect()["spec"]["replicas"] == 2
    assert bare.api.get(lease).expect()["spec"] == held

    installer.run("uninstall", "treadle", "--namespace", namespace).expect()
    assert bare.api.get(deployment).code == bare.api.get(lease).code == 404
    assert bare.api.get(f"{collection('Peer', namespace)}/peer0").accepted
    # What was kept is no obstacle to the next release, nor is a lease that an operator has made.
    manifest = {"metadata": {"name": "treadle-operator"}, "spec": held}
    bare.api.create(lease.rpartition("/")[0], manifest).expect()
    installer.run("install", *place).expect()
    installer.run("uninstall", "treadle", "--namespace", namespace).expect()
    assert bare.api.get(lease).accepted
    _remove_definitions(bare)


def _remove_definitions(bare: ControlPlane) -> None:
    """Another namespace's release may bring them only when nobody's release owns them."""
    for plural in PLURALS.values():
        path = f"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{plural}.treadle.dev"
        bare.api.delete(path).expect()
        wait_until(lambda p=path: bare.api.get(p).code == 404, within=30, what="it being gone")


def test_a_restricted_namespace_takes_its_pods(
    bare: ControlPlane, helm: Helm, namespace: str
) -> None:
    objects = helm.objects()
    pods = [one["spec"] for one in objects if one["kind"] == "Pod"]
    pods += [one["spec"]["template"]["spec"] for one in objects if one["kind"] == "Deployment"]
    assert len(pods) == 2
    for spec in pods:
        answer = dry_run(bare, namespace, spec)
        assert answer.accepted, answer.body
        loose = json.loads(json.dumps(spec))
        loose["securityContext"]["runAsNonRoot"] = False
        assert "violates PodSecurity" in dry_run(bare, namespace, loose).body["message"]


def test_the_api_server_knows_every_field(bare: ControlPlane, helm: Helm, namespace: str) -> None:
    """Strict validation: a field that no kind has is an error, not dropped."""
    values = {
        "watchNamespaces": [namespace],
        "tolerations": [{"key": "dedicated", "operator": "Exists"}],
        "nodeSelector": {"disk": "fast"},
        "affinity": {"nodeAffinity": {}},
        "priorityClassName": "system-cluster-critical",
        "podAnnotations": {"a/b": "c"},
        "images": {"pullSecrets": [{"name": "registry"}]},
    }
    text = helm.template(values, namespace=namespace).expect()
    applied = bare.kubectl("apply", "--dry-run=server", "--validate=strict", "-f", "-", stdin=text)
    kinds = {line.split("/")[0] for line in applied.splitlines()}
    assert {
        "deployment.apps", "service", "serviceaccount", "pod",
        "role.rbac.authorization.k8s.io", "rolebinding.rbac.authorization.k8s.io",
        "networkpolicy.networking.k8s.io", "customresourcedefinition.apiextensions.k8s.io",
    } <= kinds  # fmt: skip


def test_a_wrong_field_would_be_noticed(bare: ControlPlane, helm: Helm, namespace: str) -> None:
    text = helm.template(namespace=namespace).expect()
    text = text.replace("enableServiceLinks:", "enableServiceLink:")
    with pytest.raises(AssertionError, match="unknown field"):
        bare.kubectl("apply", "--dry-run=server", "--validate=strict", "-f", "-", stdin=text)


def test_two_releases_keep_two_namespaces(
    bare: ControlPlane, installer: Helm, namespace: str
) -> None:
    other = f"other-{time.monotonic_ns()}"
    bare.api.create("/api/v1/namespaces", {"metadata": {"name": other}}).expect()
    first = ("first", str(CHART), "--namespace", namespace)
    installer.run("install", *first).expect()
    second = ("second", str(CHART), "--namespace", other)
    notes = installer.run("install", *second, "--set", "crds.enabled=false").expect()
    assert "not part of this release" in notes
    notes = installer.run("upgrade", *second, "--reset-values").expect()
    assert f"the release first in {namespace} has brought" in notes
    installer.run("uninstall", "first", "--namespace", namespace).expect()
    assert served(bare)
    # Kept ones still name the release that is gone, and are in nobody's way.
    installer.run("uninstall", "second", "--namespace", other).expect()
    notes = installer.run("install", *second).expect()
    assert "left as they are" in notes
    installer.run("uninstall", "second", "--namespace", other).expect()
    _remove_definitions(bare)
