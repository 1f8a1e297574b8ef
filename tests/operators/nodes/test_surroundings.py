"""What containers on a node of processes find: volumes, names, each other; and who keeps them."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from harness.nodes.machine import Machine, Pods, is_ready
from harness.processes import wait_until

pytestmark = [pytest.mark.kubernetes, pytest.mark.process_node]

SERVE = "cd /tmp; echo hello > index.html; exec python3 -m http.server 8000"
ASK = (
    "import sys, urllib.request as u; "
    "sys.stdout.write(u.urlopen(sys.argv[1], timeout=5).read().decode())"
)


@pytest.fixture
def pods(machine: Machine) -> Pods:
    return Pods(machine, machine.namespace())


def shell(script: str, **more: Any) -> dict[str, Any]:
    return {"name": "main", "image": "peer", "command": ["/bin/sh", "-c", script], **more}


def make(pods: Pods, group: str, plural: str, body: dict[str, Any]) -> dict[str, Any]:
    path = f"/{group}/namespaces/{pods.namespace}/{plural}"
    made: dict[str, Any] = pods.machine.plane.api.create(path, body).expect()
    return made


def template(container: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A pod as the restricted standard wants it, for controllers."""
    limits = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
    security = {
        "runAsNonRoot": True,
        "runAsUser": 10001,
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    spec = {"securityContext": security, "containers": [container | {"securityContext": limits}]}
    return {"metadata": {"labels": {"app": "made"}}, "spec": spec | more}


def test_volumes_are_at_their_places_with_their_modes(pods: Pods) -> None:
    secret = {"key": base64.b64encode(b"secret").decode(), "other": ""}
    make(pods, "api/v1", "secrets", {"metadata": {"name": "s"}, "data": secret})
    make(pods, "api/v1", "configmaps", {"metadata": {"name": "c"}, "data": {"a": "1", "b": "2"}})
    source = {"secretName": "s", "defaultMode": 0o440, "items": [{"key": "key", "path": "x/y"}]}
    spec = {
        "volumes": [
            {"name": "s", "secret": source},
            {"name": "c", "configMap": {"name": "c"}},
            {"name": "w", "emptyDir": {}},
        ],
        "containers": [
            shell(
                "cat /etc/treadle/s/x/y; find /etc/treadle/s /etc/treadle/c -type f | sort;"
                "stat -Lc '%a %g' /etc/treadle/s/x/y; touch /shared/own/mine && echo may;"
                "touch /etc/treadle/c/a || touch /treadle/x || touch /x || echo may not",
                volumeMounts=[
                    {"name": "s", "mountPath": "/etc/treadle/s", "readOnly": True},
                    {"name": "c", "mountPath": "/etc/treadle/c", "readOnly": True},
                    {"name": "w", "mountPath": "/shared/own"},
                ],
            )
        ],
        "restartPolicy": "Never",
    }
    pods.create("mounts", spec)
    pods.phase("mounts", "Succeeded")
    told = [line for line in pods.log("mounts").splitlines() if not line.startswith("touch:")]
    assert told == [
        "secret/etc/treadle/c/a", "/etc/treadle/c/b", "/etc/treadle/s/x/y",
        "440 10001", "may", "may not",
    ]  # fmt: skip


def test_a_pod_waits_for_the_secret_that_it_mounts(pods: Pods) -> None:
    spec = {
        "volumes": [{"name": "s", "secret": {"secretName": "late"}}],
        "containers": [
            shell("cat /s/key; exit 0", volumeMounts=[{"name": "s", "mountPath": "/s"}])
        ],
        "restartPolicy": "Never",
    }
    pods.create("early", spec)

    def missing(status: Any) -> bool:
        state = status.get("containerStatuses", [{}])[0].get("state", {})
        return "not found" in state.get("waiting", {}).get("message", "")

    pods.until("early", missing, what="a missing Secret")
    data = {"key": base64.b64encode(b"there").decode()}
    make(pods, "api/v1", "secrets", {"metadata": {"name": "late"}, "data": data})
    pods.phase("early", "Succeeded")
    assert pods.log("early") == "there"


def test_a_claim_outlives_its_pods_and_goes_with_its_deletion(pods: Pods) -> None:
    claim = {
        "metadata": {"name": "kept"},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
    }
    make(pods, "api/v1", "persistentvolumeclaims", claim)
    mounts = [{"name": "d", "mountPath": "/var/lib/treadle"}]
    volumes = [{"name": "d", "persistentVolumeClaim": {"claimName": "kept"}}]
    for name, script in (("one", "echo 1 > /var/lib/treadle/f"), ("two", "cat /var/lib/treadle/f")):
        pods.create(name, {"containers": [shell(script, volumeMounts=mounts)],
                           "volumes": volumes, "restartPolicy": "Never"})  # fmt: skip
        pods.phase(name, "Succeeded")
    assert pods.log("two") == "1\n"
    api = pods.machine.plane.api
    path = f"/api/v1/namespaces/{pods.namespace}/persistentvolumeclaims/kept"
    volume = api.get(path).expect()["spec"]["volumeName"]
    folder = pods.machine.node.hosts.parent / "volumes" / volume
    assert (folder / "f").read_text() == "1\n"
    for name in ("one", "two"):
        api.delete(pods.path(name)).expect()
    api.delete(path).expect()
    wait_until(lambda: not folder.exists(), within=30, what="the folder being gone")


def test_pods_listen_on_the_same_port_and_are_found_by_their_services(pods: Pods) -> None:
    port = [{"name": "web", "containerPort": 8000}]
    probe = {"httpGet": {"path": "/index.html", "port": "web"}, "periodSeconds": 1}
    for name in ("first", "second"):
        script = SERVE.replace("hello", name)
        pods.create(name, {"containers": [shell(script, ports=port, readinessProbe=probe)]})
        service = {
            "metadata": {"name": name},
            "spec": {"selector": {"app": name}, "ports": [{"port": 8000}], "clusterIP": "None"},
        }
        make(pods, "api/v1", "services", service)
        pods.ready(name)
    hosts = pods.machine.node.hosts
    wait_until(
        lambda: f"second.{pods.namespace}.svc" in hosts.read_text(), within=20, what="the name"
    )
    urls = [f"http://{name}.{pods.namespace}.svc:8000/index.html" for name in ("first", "second")]
    script = "; ".join(f'python3 -c "$0" {url}' for url in urls)
    asking = {**shell(script), "command": ["/bin/sh", "-c", script, ASK]}
    pods.create("client", {"containers": [asking], "restartPolicy": "Never"})
    pods.phase("client", "Succeeded")
    assert pods.log("client") == "first\nsecond\n"


def test_a_pod_that_is_not_ready_is_no_address_of_its_service(pods: Pods) -> None:
    probe = {"exec": {"command": ["test", "-e", "/tmp/ready"]}, "periodSeconds": 1}
    script = "until [ -e /treadle/go ]; do sleep 0.1; done; touch /tmp/ready; sleep 1000"
    mounts = [{"name": "w", "mountPath": "/treadle"}]
    spec = {
        "containers": [shell(script, readinessProbe=probe, volumeMounts=mounts)],
        "volumes": [{"name": "w", "emptyDir": {}}],
    }
    service = {"metadata": {"name": "late"}, "spec": {"selector": {"app": "late"}}}
    make(pods, "api/v1", "services", {**service, "spec": service["spec"] | {"clusterIP": "None"}})
    pods.create("late", spec)
    pod = pods.phase("late", "Running")
    assert not is_ready(pod["status"])
    hosts, name = pods.machine.node.hosts, f"late.{pods.namespace}.svc"
    assert name not in hosts.read_text()
    uid = pod["metadata"]["uid"]
    (hosts.parent / "pods" / uid / "volumes" / "w" / "go").touch()
    pods.ready("late")
    wait_until(lambda: name in hosts.read_text(), within=20, what="the name")


def test_a_job_ends_and_a_deployment_replaces_its_pods(pods: Pods) -> None:
    job = {"backoffLimit": 0, "template": template(shell("exit 4"), restartPolicy="Never")}
    make(pods, "apis/batch/v1", "jobs", {"metadata": {"name": "job"}, "spec": job})
    deployment = {
        "selector": {"matchLabels": {"app": "made"}},
        "template": template(shell("sleep 1000"), terminationGracePeriodSeconds=0),
    }
    body = {"metadata": {"name": "kept"}, "spec": deployment}
    make(pods, "apis/apps/v1", "deployments", body)
    kubectl = pods.machine.plane.kubectl
    inside = ("-n", pods.namespace)
    kubectl(*inside, "wait", "--for=condition=Failed", "--timeout=50s", "job/job")
    kubectl(*inside, "wait", "--for=condition=Available", "--timeout=50s", "deployment/kept")
    before = pod_of(pods, "kept")
    api = pods.machine.plane.api
    api.delete(pods.path(before)).expect()
    wait_until(lambda: pod_of(pods, "kept") not in ("", before), within=30, what="another pod")
    pods.ready(pod_of(pods, "kept"))


def pod_of(pods: Pods, deployment: str) -> str:
    """The name of its one pod; empty when there is none, or more."""
    found = [
        each["metadata"]["name"]
        for each in pods.machine.plane.api.get(pods.path()).expect()["items"]
        if each["metadata"]["name"].startswith(f"{deployment}-")
    ]
    return found[0] if len(found) == 1 else ""


def test_a_container_that_stops_answering_is_started_again(pods: Pods) -> None:
    script = "touch /tmp/alive; sleep 1; rm /tmp/alive; sleep 1000"
    probe = {"exec": {"command": ["test", "-e", "/tmp/alive"]}, "periodSeconds": 1}
    probe |= {"failureThreshold": 1, "initialDelaySeconds": 1}
    pods.create("dies", {"containers": [shell(script, livenessProbe=probe)]})

    def again(status: Any) -> bool:
        found = status.get("containerStatuses", [{}])[0]
        return found.get("restartCount", 0) >= 1 and bool(found.get("lastState"))

    pod = pods.until("dies", again, what="a restart")
    last = pod["status"]["containerStatuses"][0]["lastState"]["terminated"]
    assert last["exitCode"] == 137
