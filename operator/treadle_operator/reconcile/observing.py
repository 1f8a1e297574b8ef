"""What a StatefulSet and its pod say about a Peer. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from treadle_operator.conditions import Condition
from treadle_operator.model import Manifest, integer_at, items_at, mapping_at, text_at

IDENTITY: Final = "IdentityReady"
PROGRESSING: Final = "Progressing"
READY: Final = "Ready"
STORAGE: Final = "StorageReady"
_REASONS: Final[Mapping[str, str]] = {
    "CrashLoopBackOff": "PodCrashing",
    "ImagePullBackOff": "ImagePullFailed",
    "ErrImagePull": "ImagePullFailed",
    "ErrImageNeverPull": "ImagePullFailed",
    "InvalidImageName": "ImagePullFailed",
    "CreateContainerConfigError": "PodNotStarted",
    "CreateContainerError": "PodNotStarted",
    "RunContainerError": "PodNotStarted",
}


def running_conditions(statefulset: Manifest, pod: Manifest | None) -> list[Condition]:
    """Ready and Progressing of a Peer whose children are all there."""
    if _settled(statefulset):
        return [
            Condition(READY, True, "PeerReady", "the peer is up and its ledgers are open"),
            Condition(PROGRESSING, False, "Settled", "everything is as wanted", told=None),
        ]
    trouble = _trouble(pod)
    if trouble is not None:
        reason, message = trouble
        return [
            Condition(READY, False, reason, message, told="Warning"),
            Condition(PROGRESSING, False, reason, message, told=None),
        ]
    message = "waiting for the peer's pod to become ready"
    return [
        Condition(READY, False, "PeerStarting", message),
        Condition(PROGRESSING, True, "PeerStarting", message, told=None),
    ]


def is_running(conditions: Sequence[Condition]) -> bool:
    """Whether the peer of these conditions can be spoken with."""
    return any(one.type == READY and one.status for one in conditions)


def ready_with(conditions: Sequence[Condition], step: Condition) -> list[Condition]:
    """*conditions*, where Ready is only as true as *step*."""
    if not is_running(conditions) or step.status:
        return list(conditions)
    behind = replace(step, type=READY, told="Warning")
    return [behind if one.type == READY else one for one in conditions]


def blocked_conditions(reason: str, message: str) -> list[Condition]:
    """Ready and Progressing of a Peer that waits for a person."""
    return [
        Condition(READY, False, reason, message, told="Warning"),
        Condition(PROGRESSING, False, reason, message, told=None),
    ]


def identity_condition(generated: bool) -> Condition:
    """Of a Peer that has what it needs to sign."""
    if generated:
        return Condition(IDENTITY, True, "Generated", "the organisation was generated into Secrets")
    return Condition(IDENTITY, True, "Given", "the given Secrets hold a usable identity")


def storage_condition(problem: str | None, size: str) -> Condition:
    """Whether the volume has the size that is wanted."""
    if problem is not None:
        return Condition(STORAGE, False, "SizeRefused", problem, told="Warning")
    return Condition(STORAGE, True, "SizeRequested", f"a volume of {size} is asked for", told=None)


def _settled(statefulset: Manifest) -> bool:
    """Whether the one pod there is runs today's template and is ready."""
    status = mapping_at(statefulset, "status")
    seen = integer_at(status, "observedGeneration")
    return (
        seen >= integer_at(statefulset, "metadata", "generation")
        and text_at(status, "currentRevision") == text_at(status, "updateRevision")
        and integer_at(status, "readyReplicas") == 1
    )


def _trouble(pod: Manifest | None) -> tuple[str, str] | None:
    """Why the pod does not start, in the words of whoever knows: reason and message."""
    for status in items_at(pod, "status", "containerStatuses"):
        waiting = mapping_at(status, "state", "waiting")
        reason = _REASONS.get(text_at(waiting, "reason"))
        if reason is not None:
            said = text_at(waiting, "message") or text_at(waiting, "reason")
            return reason, f"{said}{_last_end(status)}"
    for condition in items_at(pod, "status", "conditions"):
        kind, status = text_at(condition, "type"), text_at(condition, "status")
        if (kind, status) == ("PodScheduled", "False"):
            return "Unschedulable", text_at(condition, "message") or "no node takes the pod"
    return None


def _last_end(status: object) -> str:
    ended = mapping_at(status, "lastState", "terminated")
    if not ended:
        return ""
    said = text_at(ended, "message").strip()
    code = integer_at(ended, "exitCode")
    return f"; it ended with exit code {code}" + (f": {said}" if said else "")
