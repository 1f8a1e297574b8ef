"""Pods on a node of processes live and die as they would under a kubelet."""

from __future__ import annotations

from typing import Any

import pytest
from harness.nodes.machine import Machine, Pods
from harness.processes import wait_until

pytestmark = [pytest.mark.kubernetes, pytest.mark.process_node]


@pytest.fixture
def pods(machine: Machine) -> Pods:
    return Pods(machine, machine.namespace())


def shell(script: str, **more: Any) -> dict[str, Any]:
    return {"name": "main", "image": "stock", "command": ["/bin/sh", "-c", script], **more}


def entry(pod: dict[str, Any], name: str = "main") -> dict[str, Any]:
    status = pod["status"]
    everything = status["containerStatuses"] + status.get("initContainerStatuses", [])
    (found,) = [each for each in everything if each["name"] == name]
    return dict(found)


def test_a_pod_that_does_its_work_succeeds_and_its_log_can_be_read(pods: Pods) -> None:
    script = 'echo "I am $WHO in $SPACE"; id -u; echo gone > /dev/termination-log'
    space = {"fieldRef": {"fieldPath": "metadata.namespace"}}
    env = [{"name": "WHO", "value": "one'\" two"}, {"name": "SPACE", "valueFrom": space}]
    pods.create("once", {"containers": [shell(script, env=env)], "restartPolicy": "Never"})
    ended = entry(pods.phase("once", "Succeeded"))["state"]["terminated"]
    assert (ended["exitCode"], ended["reason"], ended["message"]) == (0, "Completed", "gone\n")
    assert pods.log("once") == f"I am one'\" two in {pods.namespace}\n10001\n"


def test_a_failure_is_told_with_its_code_and_its_last_words(pods: Pods) -> None:
    script = "echo it went wrong >&2; exit 7"
    policy = {"terminationMessagePolicy": "FallbackToLogsOnError"}
    pods.create("bad", {"containers": [shell(script, **policy)], "restartPolicy": "Never"})
    ended = entry(pods.phase("bad", "Failed"))["state"]["terminated"]
    assert (ended["exitCode"], ended["reason"]) == (7, "Error")
    assert ended["message"] == "it went wrong\n"


def test_init_containers_run_in_order_and_a_sidecar_beside(pods: Pods) -> None:
    mounts = [{"name": "shared", "mountPath": "/shared/steps"}]
    side = shell("echo side >> /shared/steps/said; sleep 1000", volumeMounts=mounts)
    side |= {"name": "side", "restartPolicy": "Always"}
    first = shell("echo first > /shared/steps/said", volumeMounts=mounts) | {"name": "first"}
    third = shell(
        "until grep side /shared/steps/said; do sleep 0.05; done; echo third >> /shared/steps/said",
        volumeMounts=mounts,
    )
    spec = {
        "initContainers": [first, side, third | {"name": "third"}],
        "containers": [shell("cat /shared/steps/said", volumeMounts=mounts)],
        "volumes": [{"name": "shared", "emptyDir": {}}],
        "restartPolicy": "Never",
        "terminationGracePeriodSeconds": 1,
    }
    pods.create("steps", spec)
    pod = pods.phase("steps", "Succeeded")
    assert pods.log("steps") == "first\nside\nthird\n"
    assert entry(pod, "first")["state"]["terminated"]["exitCode"] == 0
    assert entry(pod, "side")["state"]["terminated"]["exitCode"] == 137


def test_a_failed_init_container_fails_a_pod_that_is_not_restarted(pods: Pods) -> None:
    spec = {
        "initContainers": [shell("exit 3") | {"name": "first"}],
        "containers": [shell("echo never")],
        "restartPolicy": "Never",
    }
    pods.create("stuck", spec)
    pod = pods.phase("stuck", "Failed")
    assert entry(pod, "first")["state"]["terminated"]["exitCode"] == 3
    assert entry(pod)["state"]["waiting"]["reason"] == "PodInitializing"


def test_a_crash_is_tried_again_and_then_waited_for(pods: Pods) -> None:
    pods.create("crash", {"containers": [shell("exit 5")]})

    def looping(status: Any) -> bool:
        found = status.get("containerStatuses", [{}])[0]
        waiting = found.get("state", {}).get("waiting", {})
        return waiting.get("reason") == "CrashLoopBackOff" and found["restartCount"] >= 2

    pod = pods.until("crash", looping, what="a crash loop")
    assert entry(pod)["lastState"]["terminated"]["exitCode"] == 5
    assert pod["status"]["phase"] == "Running"


def test_an_unknown_image_is_waited_for(pods: Pods, machine: Machine) -> None:
    pods.create("late", {"containers": [shell("sleep 1000") | {"image": "late"}]})

    def pulling(status: Any) -> bool:
        state = status.get("containerStatuses", [{}])[0].get("state", {})
        return bool(state.get("waiting", {}).get("reason") == "ImagePullBackOff")

    pods.until("late", pulling, what="a missing image")
    machine.node.images["late"] = machine.node.images["stock"]
    pods.ready("late")


def test_a_deleted_pod_may_end_in_order_and_is_gone(pods: Pods) -> None:
    script = "trap 'echo bye; exit 0' TERM; echo up; while :; do sleep 0.1; done"
    pods.create("stopped", {"containers": [shell(script)]})
    pods.ready("stopped")
    uid = pods.get("stopped")["metadata"]["uid"]
    log = pods.machine.node.hosts.parent / "pods" / uid / "main" / "log"
    api = pods.machine.plane.api
    api.delete(pods.path("stopped")).expect()
    wait_until(
        lambda: api.get(pods.path("stopped")).code == 404, within=20, what="the pod being gone"
    )
    assert log.read_text() == "up\nbye\n"
