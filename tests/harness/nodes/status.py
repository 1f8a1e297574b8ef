"""The status of a pod as a kubelet writes it. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from harness.nodes.containers import Container, now

Body = Mapping[str, Any]


def is_sidecar(spec: Body) -> bool:
    """An init container that goes on beside the others."""
    return spec.get("restartPolicy") == "Always"


def phase(*, failed_init: bool, initialized: bool, mains: Sequence[Container]) -> str:
    """The pod's phase."""
    if failed_init:
        return "Failed"
    ended = [each.terminated for each in mains]
    if initialized and all(ended):
        good = all(each is not None and each["exitCode"] == 0 for each in ended)
        return "Succeeded" if good else "Failed"
    return "Running" if initialized and any(each.started_at for each in mains) else "Pending"


def conditions(
    body: Body, found: str, *, initialized: bool, containers: Sequence[Container]
) -> list[dict[str, Any]]:
    """All of the pod's conditions; those of others as they are."""
    ready = found == "Running" and all(each.ready for each in containers)
    unready = "PodCompleted" if found == "Succeeded" else "ContainersNotReady"
    wanted = {
        "PodReadyToStartContainers": (True, ""),
        "Initialized": (initialized, "" if initialized else "ContainersNotInitialized"),
        "ContainersReady": (ready, "" if ready else unready),
        "Ready": (ready, "" if ready else unready),
    }
    before = {each["type"]: each for each in body.get("status", {}).get("conditions", [])}
    result = [each for kind, each in before.items() if kind not in wanted]
    for kind, (holds, reason) in wanted.items():
        status = "True" if holds else "False"
        entry = {"type": kind, "status": status, "lastTransitionTime": now()}
        if reason:
            entry["reason"] = reason
        if before.get(kind, {}).get("status") == status:
            entry["lastTransitionTime"] = before[kind]["lastTransitionTime"]
        result.append(entry)
    return result
