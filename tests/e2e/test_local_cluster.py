"""The local cluster is a real one: pods, names, volumes, logs, exec, port-forward, and its end."""

from __future__ import annotations

import json
import os
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from cluster.layout import Layout
from cluster.running import Cluster
from cluster.space import living, namespace_of
from e2e.kubectl import Kubectl
from e2e.local_cluster import cluster_command
from e2e.proof_pods import NAMESPACE, claim, pod, web

pytestmark = [pytest.mark.long, pytest.mark.cluster]


@pytest.fixture(scope="module")
def proof(tmp_path_factory: pytest.TempPathFactory, kubernetes_bin: Path) -> Iterator[Kubectl]:
    """A fresh local cluster, and a namespace that enforces what is restricted."""
    folder = tmp_path_factory.mktemp("local")
    kubeconfig = Path(cluster_command(folder / "cluster", "up").strip())
    try:
        root = Kubectl(kubeconfig, binaries=kubernetes_bin, folder=folder)
        root.apply(NAMESPACE)
        yield root.within("proof")
    finally:
        cluster_command(folder / "cluster", "down")


def test_the_node_is_ready(proof: Kubectl) -> None:
    (node,) = proof.get("nodes")["items"]
    conditions = {one["type"]: one["status"] for one in node["status"]["conditions"]}
    assert conditions["Ready"] == "True"


def test_two_restricted_replicas_are_available_and_found_by_the_name_of_their_service(
    proof: Kubectl,
) -> None:
    proof.apply(*web(), claim("asker"))
    proof.wait("deployment/web", "condition=Available")
    script = "set -e; for _ in $(seq 30); do wget -qO- http://web.proof.svc; done; wget -qO- web"
    proof.apply(pod("asker", script, claim_name="asker"))
    proof.wait("pod/asker", "jsonpath={.status.phase}=Succeeded")
    names = {one["metadata"]["name"] for one in proof.get("pods", "--selector=app=web")["items"]}
    assert set(proof.run("logs", "asker").split()) == names
    assert len(names) == 2


def test_what_is_on_a_volume_outlives_its_pod(proof: Kubectl) -> None:
    proof.apply(claim("kept"), pod("writer", "echo kept > /data/file", claim_name="kept"))
    proof.wait("pod/writer", "jsonpath={.status.phase}=Succeeded")
    proof.run("delete", "pod", "writer")
    assert proof.get("pvc", "kept")["status"]["phase"] == "Bound"
    proof.apply(pod("reader", "cat /data/file", claim_name="kept"))
    proof.wait("pod/reader", "jsonpath={.status.phase}=Succeeded")
    assert proof.run("logs", "reader") == "kept\n"


def test_logs_exec_and_port_forward_reach_a_pod(proof: Kubectl) -> None:
    proof.apply(*web())
    proof.wait("deployment/web", "condition=Available")
    assert "serving" in proof.run("logs", "deployment/web")
    name = proof.run("exec", "deployment/web", "--", "hostname")
    assert name.startswith("web-")
    with (
        proof.forward(f"pod/{name.strip()}", 8080) as (port,),
        urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=10) as answer,
    ):
        assert answer.read().decode() == name


def test_a_pod_that_may_do_more_than_the_namespace_allows_is_refused(proof: Kubectl) -> None:
    refused = pod("loose", "true", claim_name="none")
    refused["spec"]["securityContext"] = {}
    with pytest.raises(AssertionError, match="violates PodSecurity"):
        proof.apply(refused)


def test_every_request_is_in_the_audit_log(proof: Kubectl) -> None:
    proof.get("configmap", "kube-root-ca.crt")
    lines = (proof.kubeconfig.parent / "audit.log").read_text().splitlines()
    asked = [json.loads(line) for line in lines if '"kube-root-ca.crt"' in line]
    assert any(one["user"]["username"] == "admin" and one["verb"] == "get" for one in asked)


def test_the_end_leaves_no_process_mount_link_or_group(
    tmp_path: Path, kubernetes_bin: Path
) -> None:
    folder = tmp_path / "cluster"
    kubeconfig = Path(cluster_command(folder, "up").strip())
    try:
        cluster = Cluster.read(folder, kubernetes_bin)
        root = Kubectl(kubeconfig, binaries=kubernetes_bin, folder=tmp_path)
        root.apply(claim("kept"), pod("sleeper", "sleep infinity", claim_name="kept"))
        root.wait("pod/sleeper", "condition=Ready")
        inside = living(cluster.namespace)
        assert set(cluster.processes.values()) < set(inside)
        shims = [
            pid for pid in inside if b"containerd-shim" in Path(f"/proc/{pid}/cmdline").read_bytes()
        ]
        assert shims
    finally:
        cluster_command(folder, "down")
    assert not [pid for pid in inside if namespace_of(pid) == cluster.namespace]
    assert {path.suffix for path in folder.iterdir()} == {".log"}
    assert str(tmp_path) not in Path("/proc/mounts").read_text()
    assert not (Path("/sys/class/net") / cluster.layout.name).exists()
    assert not list(Path("/sys/fs/cgroup").glob(f"*/{cluster.layout.name}"))


def test_a_recorded_pid_that_is_somebody_elses_by_now_is_left_alone(
    tmp_path: Path, kubernetes_bin: Path
) -> None:
    layout = Layout(folder=tmp_path, binaries=kubernetes_bin, number=250)
    stale = Cluster(layout, holder=os.getpid(), namespace="pid:[1]", processes={}, commands={})
    stale.write()
    assert Cluster.read(tmp_path, kubernetes_bin).down() == []
    assert not (tmp_path / "cluster.json").exists()
