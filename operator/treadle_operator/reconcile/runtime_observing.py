"""What the Job, the Deployment and the pods of a runtime say. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from treadle_fabric.redaction import without_credentials

from treadle_operator.model import Manifest, integer_at, items_at, mapping_at, text_at
from treadle_operator.model.peering import Phase, Runtime, State
from treadle_operator.resources.runtime_secret import CERTIFICATE

_NO_IMAGE: Final = frozenset(
    {"ImagePullBackOff", "ErrImagePull", "ErrImageNeverPull", "InvalidImageName"}
)
_NOT_STARTED: Final = frozenset(
    {"CreateContainerConfigError", "CreateContainerError", "RunContainerError"}
)
_CRASHED: Final = "CrashLoopBackOff"
_WHY: Final = "ErrImagePull: "
_OURS: Final = frozenset({"package", "store", "output", "bridge", "dial"})
"""Containers that end with a sentence for people."""
_STEPS: Final[Mapping[str, str]] = {
    "package": "the builder fetches the package",
    "build": "the chaincode is being built",
    "store": "what was built is handed to the peer",
    "output": "the pod fetches what was built",
}
_MOST_MESSAGE: Final = 1000
_STATES: Final[Mapping[Phase, State]] = {
    Phase.BUILDING: State.BUILDING,
    Phase.PULLING: State.STARTING,
    Phase.STARTING: State.STARTING,
    Phase.FAILED: State.FAILED,
}


@dataclass(frozen=True, slots=True)
class Ended:
    """A container that ended badly; ``said`` is what it left, or the end of its log."""

    pod: str
    container: str
    said: str


@dataclass(frozen=True, slots=True)
class Finding:
    """How far a runtime is. ``ended`` is whose log tells more; ``up``: a process runs."""

    phase: Phase
    message: str
    ended: Ended | None = None
    up: bool = False


def is_told(finding: Finding, runtime: Runtime) -> bool:
    """Whether the peer knows it, or knows better.

    It knows by itself who is registered. That nobody registered in time is its own verdict, and a
    process that runs is no answer to that.
    """
    if runtime.state is State.REGISTERED:
        return True
    if finding.up and runtime.state is State.FAILED:
        return True
    if runtime.state is not _STATES[finding.phase]:
        return False
    if finding.phase is Phase.FAILED:
        return runtime.message.startswith(finding.message)
    return runtime.message == finding.message


def build_finding(job: Manifest, pods: Sequence[Manifest]) -> Finding:
    """Of the pods of a Job, the newest counts."""
    newest = sorted(pods, key=_age)[-1:]
    if is_failed(job):
        return _failed_build(job, newest)
    trouble = next(filter(None, map(_trouble, newest)), None)
    if trouble is not None:
        return trouble
    running = [step for pod in newest for step in _running(pod)]
    if running:
        return Finding(Phase.BUILDING, _STEPS.get(running[-1], _STEPS["build"]))
    return Finding(Phase.BUILDING, "the builder is being started")


def is_failed(job: Manifest) -> bool:
    """Whether the Job has given up."""
    return _condition(job, "Failed") is not None


def is_complete(job: Manifest) -> bool:
    """Whether the Job has succeeded."""
    return _condition(job, "Complete") is not None


def running_finding(deployment: Manifest, pods: Sequence[Manifest]) -> Finding:
    """Of the pods of a Deployment, the one that is furthest counts."""
    present = sorted(filter(_is_present, pods), key=_age, reverse=True)
    if any(map(_is_up, present)):
        return Finding(Phase.STARTING, "the process runs and is to register", up=True)
    trouble = next(filter(None, map(_trouble, present)), None)
    if trouble is not None:
        return trouble
    refused = _condition(deployment, "ReplicaFailure")
    if refused is not None and not present:
        return Finding(Phase.FAILED, f"no pod can be made: {text_at(refused, 'message')}")
    steps = [_STEPS[step] for pod in present for step in _running(pod) if step in _STEPS]
    if steps:
        return Finding(Phase.STARTING, steps[0])
    if any(_is_placed(pod) for pod in present):
        return Finding(Phase.PULLING, "the node fetches the images of the pod")
    return Finding(Phase.STARTING, "the pod waits for a node")


def addresses(pods: Iterable[Manifest]) -> tuple[str, ...]:
    """IP addresses of the pods that are not on their way out, in order."""
    found = {text_at(pod, "status", "podIP") for pod in pods if _is_present(pod)}
    return tuple(sorted(found - {""}))


def is_rolled_out(deployment: Manifest, pods: Sequence[Manifest], certificate: str) -> bool:
    """Whether all pods, also those on their way out, were started with *certificate*."""
    status, spec = mapping_at(deployment, "status"), mapping_at(deployment, "spec")
    wanted = integer_at(spec, "replicas")
    alive = [pod for pod in pods if not _is_over(pod)]
    counts = ("replicas", "updatedReplicas", "availableReplicas")
    seen = integer_at(status, "observedGeneration")
    return (
        seen >= integer_at(deployment, "metadata", "generation")
        and all(integer_at(status, count) == wanted for count in counts)
        and {text_at(pod, "metadata", "annotations", CERTIFICATE) for pod in alive} == {certificate}
    )


def _failed_build(job: Manifest, newest: Sequence[Manifest]) -> Finding:
    condition = _condition(job, "Failed")
    if text_at(condition, "reason") == "DeadlineExceeded":
        limit = integer_at(job, "spec", "activeDeadlineSeconds")
        return Finding(Phase.FAILED, f"the builder did not come to its end within {limit} s")
    ended = next((found for pod in newest for found in _ended(pod)), None)
    if ended is None:
        said = text_at(condition, "message") or "its pod is gone"
        return Finding(Phase.FAILED, f"the build failed: {said}")
    return ended


def _age(pod: Manifest) -> tuple[str, str]:
    return text_at(pod, "metadata", "creationTimestamp"), text_at(pod, "metadata", "name")


def _condition(body: Manifest, kind: str) -> Mapping[str, object] | None:
    for condition in items_at(body, "status", "conditions"):
        if (text_at(condition, "type"), text_at(condition, "status")) == (kind, "True"):
            return condition if isinstance(condition, Mapping) else None
    return None


def _is_present(pod: Manifest) -> bool:
    return not _is_over(pod) and not mapping_at(pod, "metadata").get("deletionTimestamp")


def _is_over(pod: Manifest) -> bool:
    """Evicted, for example; such a pod may lie around for long."""
    return text_at(pod, "status", "phase") in {"Failed", "Succeeded"}


def _is_placed(pod: Manifest) -> bool:
    return bool(text_at(pod, "spec", "nodeName"))


def _is_up(pod: Manifest) -> bool:
    statuses = items_at(pod, "status", "containerStatuses")
    running = bool(statuses) and all("running" in mapping_at(one, "state") for one in statuses)
    return running and _trouble(pod) is None  # a bridge may be in trouble beside it


def _statuses(pod: Manifest) -> Iterator[Mapping[str, object]]:
    for group in ("initContainerStatuses", "containerStatuses"):
        for one in items_at(pod, "status", group):
            if isinstance(one, Mapping):
                yield one


def _running(pod: Manifest) -> list[str]:
    """Containers that run now, in the order in which they are started."""
    return [text_at(one, "name") for one in _statuses(pod) if "running" in mapping_at(one, "state")]


def _trouble(pod: Manifest) -> Finding | None:
    """Why the pod does not come up, in the words of whoever knows."""
    for status in _statuses(pod):
        waiting = mapping_at(status, "state", "waiting")
        reason, said = text_at(waiting, "reason"), text_at(waiting, "message")
        if reason in _NO_IMAGE:
            # The kubelet says this and that in turn; the cause is the same.
            why = said.partition(_WHY)[2] or said or reason
            return Finding(Phase.FAILED, _cut(f"cannot fetch image {_image(pod, status)}: {why}"))
        if reason in _NOT_STARTED:
            name = text_at(status, "name")
            return Finding(Phase.FAILED, _cut(f"cannot start container {name}: {said or reason}"))
    ended = next(_ended(pod), None)
    return ended or _unplaced(pod)


def _unplaced(pod: Manifest) -> Finding | None:
    for condition in items_at(pod, "status", "conditions"):
        kind, status = text_at(condition, "type"), text_at(condition, "status")
        if (kind, status) == ("PodScheduled", "False"):
            said = text_at(condition, "message") or "no node takes it"
            return Finding(Phase.FAILED, _cut(f"no node takes the pod: {said}"))
    return None


def _ended(pod: Manifest) -> Iterator[Finding]:
    """Containers that ended badly and do not run again yet."""
    for status in _statuses(pod):
        ended = mapping_at(status, "state", "terminated")
        if text_at(status, "state", "waiting", "reason") == _CRASHED:
            ended = mapping_at(status, "lastState", "terminated")
        code = integer_at(ended, "exitCode")
        if not ended or code == 0:
            continue
        name, said = text_at(status, "name"), without_credentials(text_at(ended, "message").strip())
        if name in _OURS and said:
            yield Finding(Phase.FAILED, _cut(f"{name}: {said}"))
            continue
        out_of_memory = text_at(ended, "reason") == "OOMKilled"
        why = " (out of memory)" if out_of_memory else ""
        who = "the build" if name == "build" else f"container {name}"
        own = Ended(text_at(pod, "metadata", "name"), name, said)
        yield Finding(Phase.FAILED, f"{who} ended with exit code {code}{why}", own)


def _image(pod: Manifest, status: Mapping[str, object]) -> str:
    """As the manifest names it; the status may have another spelling."""
    name = text_at(status, "name")
    for group in ("initContainers", "containers"):
        for one in items_at(pod, "spec", group):
            if text_at(one, "name") == name:
                return text_at(one, "image")
    return text_at(status, "image")


def _cut(text: str) -> str:
    """What everybody may read of it; the peer would leave the same out."""
    text = without_credentials(text)
    return text if len(text) <= _MOST_MESSAGE else f"{text[:_MOST_MESSAGE]}..."
