"""What is told of a runtime, from what a cluster says of its Job, its Deployment and its pods."""

from __future__ import annotations

from typing import Any

import pytest
from harness.operating.runtimes import told as runtime
from treadle_operator.model.peering import Phase, Runtime, State
from treadle_operator.reconcile.runtime_observing import (
    Finding,
    addresses,
    build_finding,
    is_rolled_out,
    is_told,
    running_finding,
)

STEPS = ("package", "build", "store")
RUNS: dict[str, Any] = {"running": {"startedAt": "2026-11-23T08:00:00Z"}}
CREATING: dict[str, Any] = {"waiting": {"reason": "ContainerCreating"}}
CRASHED: dict[str, Any] = {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 10s"}}


def ended(code: int, message: str = "", reason: str = "Error") -> dict[str, Any]:
    return {"terminated": {"exitCode": code, "message": message, "reason": reason}}


def pod(
    name: str = "p",
    *,
    states: dict[str, Any] | None = None,
    last: dict[str, Any] | None = None,
    node: str = "n",
    address: str = "10.0.0.1",
    created: str = "2026-11-23T08:00:00Z",
    certificate: str = "cd",
    **status: object,
) -> dict[str, Any]:
    """*states* of its containers in the order in which they start; *last*: their ends before."""
    rows = [
        {"name": one, "state": state, "lastState": (last or {}).get(one, {})}
        for one, state in (states or {}).items()
    ]
    names = [row["name"] for row in rows]
    images = [{"name": one, "image": f"registry.example.com/{one}:1"} for one in names]
    return {
        "metadata": {
            "name": name,
            "creationTimestamp": created,
            "annotations": {"treadle.dev/certificate": certificate},
        },
        "spec": {"nodeName": node, "initContainers": images[:-1], "containers": images[-1:]},
        "status": {
            "podIP": address,
            "initContainerStatuses": rows[:-1],
            "containerStatuses": rows[-1:],
            **status,
        },
    }


def job(*conditions: tuple[str, str, str]) -> dict[str, Any]:
    rows = [
        {"type": kind, "status": "True", "reason": reason, "message": message}
        for kind, reason, message in conditions
    ]
    return {"spec": {"activeDeadlineSeconds": 660}, "status": {"conditions": rows}}


FAILED = job(("Failed", "PodFailurePolicy", "Container build failed"))


@pytest.mark.parametrize(
    ("states", "message"),
    [
        ({}, "the builder is being started"),
        (dict.fromkeys(STEPS, CREATING), "the builder is being started"),
        ({"package": RUNS}, "the builder fetches the package"),
        ({"package": ended(0), "build": RUNS}, "the chaincode is being built"),
        (
            {"package": ended(0), "build": ended(0), "store": RUNS},
            "what was built is handed to the peer",
        ),
    ],
)
def test_a_build_is_as_far_as_the_container_that_runs(states: dict[str, Any], message: str) -> None:
    whole = {**dict.fromkeys(STEPS, CREATING), **states} if states else {}
    assert build_finding(job(), [pod(states=whole)]) == Finding(Phase.BUILDING, message)


def test_a_build_without_a_pod_begins() -> None:
    assert build_finding(job(), []).message == "the builder is being started"


def test_a_source_that_does_not_build_is_told_with_its_log() -> None:
    broken = pod("b", states={"package": ended(0), "build": ended(2, "x.go:1: no"), "store": {}})
    found = build_finding(FAILED, [broken])
    assert (found.phase, found.message) == (Phase.FAILED, "the build ended with exit code 2")
    assert found.ended is not None
    assert (found.ended.pod, found.ended.container, found.ended.said) == (
        "b",
        "build",
        "x.go:1: no",
    )


def test_what_our_own_programs_leave_is_the_sentence() -> None:
    refused = pod(states={"package": ended(1, "the package is larger than 1 GiB\n"), "build": {}})
    assert build_finding(FAILED, [refused]) == Finding(
        Phase.FAILED, "package: the package is larger than 1 GiB"
    )


def test_of_several_tries_the_newest_counts() -> None:
    first = pod("a", states={"package": ended(1, "no answer"), "store": {}})
    second = pod("b", states={"package": RUNS, "store": {}}, created="2026-11-23T08:01:00Z")
    for pods in ([first, second], [second, first]):
        assert build_finding(job(), pods).message == "the builder fetches the package"


def test_memory_that_was_too_little_is_named() -> None:
    killed = pod(states={"build": ended(137, reason="OOMKilled"), "store": {}})
    assert build_finding(FAILED, [killed]).message == (
        "the build ended with exit code 137 (out of memory)"
    )


@pytest.mark.parametrize(
    ("condition", "message"),
    [
        (
            ("Failed", "DeadlineExceeded", "Job was active longer than specified deadline"),
            "the builder did not come to its end within 660 s",
        ),
        (("Failed", "BackoffLimitExceeded", "too often"), "the build failed: too often"),
        (("Failed", "X", ""), "the build failed: its pod is gone"),
    ],
)
def test_a_failed_job_without_its_pod_says_what_it_knows(
    condition: tuple[str, str, str], message: str
) -> None:
    assert build_finding(job(condition), []) == Finding(Phase.FAILED, message)


@pytest.mark.parametrize(
    "waiting",
    [
        {"reason": "ErrImagePull", "message": "not found"},
        {
            "reason": "ImagePullBackOff",
            "message": 'Back-off pulling image "x": ErrImagePull: not found',
        },
    ],
)
def test_an_image_that_cannot_be_fetched_is_told_in_one_way(waiting: dict[str, Any]) -> None:
    message = "cannot fetch image registry.example.com/build:1: not found"
    states = {"package": ended(0), "build": {"waiting": waiting}, "store": CREATING}
    assert build_finding(job(), [pod(states=states)]) == Finding(Phase.FAILED, message)
    assert running_finding({}, [pod(states=states)]) == Finding(Phase.FAILED, message)


def test_a_missing_key_of_a_secret_is_told() -> None:
    waiting = {"reason": "CreateContainerConfigError", "message": 'secret "s" not found'}
    found = running_finding({}, [pod(states={"chaincode": {"waiting": waiting}})])
    assert found == Finding(Phase.FAILED, 'cannot start container chaincode: secret "s" not found')


def test_a_pod_that_no_node_takes_is_told() -> None:
    condition = {"type": "PodScheduled", "status": "False", "message": "0/3 nodes are available"}
    waiting = pod(node="", conditions=[condition])
    for found in (build_finding(job(), [waiting]), running_finding({}, [waiting])):
        assert found == Finding(Phase.FAILED, "no node takes the pod: 0/3 nodes are available")


@pytest.mark.parametrize(
    ("pods", "finding"),
    [
        ([], Finding(Phase.STARTING, "the pod waits for a node")),
        ([pod(node="")], Finding(Phase.STARTING, "the pod waits for a node")),
        (
            [pod(states={"output": CREATING, "chaincode": CREATING})],
            Finding(Phase.PULLING, "the node fetches the images of the pod"),
        ),
        (
            [pod(states={"output": RUNS, "chaincode": CREATING})],
            Finding(Phase.STARTING, "the pod fetches what was built"),
        ),
        (
            [pod(states={"output": ended(0), "chaincode": RUNS})],
            Finding(Phase.STARTING, "the process runs and is to register", up=True),
        ),
    ],
)
def test_a_deployment_is_as_far_as_its_pods(pods: list[Any], finding: Finding) -> None:
    assert running_finding({}, pods) == finding


def test_a_crash_is_told_with_its_log_until_the_process_runs_again() -> None:
    last = {"chaincode": ended(3, "panic: no")}
    crashed = pod("c", states={"output": ended(0), "chaincode": CRASHED}, last=last)
    at_once = pod("c", states={"output": ended(0), "chaincode": ended(3, "panic: no")})
    for one in (crashed, at_once):
        found = running_finding({}, [one])
        assert (found.phase, found.message) == (
            Phase.FAILED,
            "container chaincode ended with exit code 3",
        )
        assert found.ended is not None
        assert found.ended.said == "panic: no"
    again = pod("c", states={"output": ended(0), "chaincode": RUNS}, last=last)
    assert running_finding({}, [again]).up


def test_a_bridge_in_trouble_is_told_although_the_chaincode_runs() -> None:
    last = {"bridge": ended(1, "no answer")}
    found = running_finding({}, [pod(states={"bridge": CRASHED, "chaincode": RUNS}, last=last)])
    assert found == Finding(Phase.FAILED, "bridge: no answer")


def test_one_pod_that_runs_is_enough() -> None:
    bad = pod("a", states={"chaincode": CRASHED}, last={"chaincode": ended(1)})
    assert running_finding({}, [bad, pod("b", states={"chaincode": RUNS})]).up


def test_pods_that_may_not_be_made_are_told() -> None:
    condition = {"type": "ReplicaFailure", "status": "True", "message": "exceeded quota"}
    found = running_finding({"status": {"conditions": [condition]}}, [])
    assert found == Finding(Phase.FAILED, "no pod can be made: exceeded quota")


def test_addresses_are_those_of_pods_that_stay() -> None:
    leaving = pod("l", address="10.0.0.9")
    leaving["metadata"]["deletionTimestamp"] = "2026-11-23T08:00:00Z"
    evicted = pod("e", address="10.0.0.8", phase="Failed")
    pods = [pod(address="10.0.0.2"), pod(address="10.0.0.1"), pod(address=""), leaving, evicted]
    assert addresses(pods) == ("10.0.0.1", "10.0.0.2")
    assert running_finding({}, [leaving, evicted]).message == "the pod waits for a node"


def rolled(generation: int = 2, **counts: int) -> dict[str, Any]:
    status = {"observedGeneration": 2, "replicas": 2, "updatedReplicas": 2, "availableReplicas": 2}
    return {
        "metadata": {"generation": generation},
        "spec": {"replicas": 2},
        "status": {**status, **counts},
    }


@pytest.mark.parametrize(
    ("deployment", "certificates", "done"),
    [
        (rolled(), ("new", "new"), True),
        (rolled(), ("new", "old"), False),
        (rolled(), (), False),
        (rolled(generation=3), ("new", "new"), False),
        (rolled(replicas=3), ("new", "new"), False),
        (rolled(updatedReplicas=1), ("new", "new"), False),
        (rolled(availableReplicas=1), ("new", "new"), False),
    ],
)
def test_a_rollout_is_over_when_no_pod_has_another_certificate(
    deployment: dict[str, Any], certificates: tuple[str, ...], done: bool
) -> None:
    pods = [pod(certificate=one) for one in certificates]
    assert is_rolled_out(deployment, pods, "new") is done
    evicted = pod(certificate="old", phase="Failed")
    assert is_rolled_out(deployment, [*pods, evicted], "new") is done


UP = Finding(Phase.STARTING, "up", up=True)


@pytest.mark.parametrize(
    ("finding", "known", "told"),
    [
        (Finding(Phase.BUILDING, "a"), runtime(State.BUILDING, "a"), True),
        (Finding(Phase.BUILDING, "b"), runtime(State.BUILDING, "a"), False),
        (Finding(Phase.BUILDING, "a"), runtime(State.REQUIRED, "a"), False),
        (Finding(Phase.PULLING, "a"), runtime(State.STARTING, "a"), True),
        (Finding(Phase.FAILED, "a"), runtime(State.FAILED, "a; the last lines"), True),
        (Finding(Phase.FAILED, "a"), runtime(State.REQUIRED), False),
        (UP, runtime(State.STARTING), False),
        (UP, runtime(State.FAILED, "no process registered within 300 s"), True),
        (Finding(Phase.PULLING, "a"), runtime(State.FAILED, "gone"), False),
        (Finding(Phase.FAILED, "a"), runtime(State.REGISTERED), True),
    ],
)
def test_the_peer_is_told_only_what_it_does_not_know(
    finding: Finding, known: Runtime, told: bool
) -> None:
    assert is_told(finding, known) is told
