"""Building a runtime: a Job with a certificate of its own, one for each attempt."""

from __future__ import annotations

from datetime import timedelta

from treadle_operator.errors import Blocked
from treadle_operator.kube import JOBS
from treadle_operator.model import Manifest, integer_at, text_at
from treadle_operator.model.peering import Phase, Purpose, State
from treadle_operator.names import build_name
from treadle_operator.reconcile.runtime_objects import (
    Task,
    check_bundle,
    check_readable,
    ensure,
    is_leaving,
    remove,
)
from treadle_operator.reconcile.runtime_observing import (
    Finding,
    build_finding,
    is_complete,
    is_failed,
)
from treadle_operator.resources.runtime_job import (
    ATTEMPT,
    BUILD,
    builder_image,
    builder_job,
)
from treadle_operator.resources.runtime_parts import BUILDER, is_of_runtime
from treadle_operator.resources.runtime_secret import held, runtime_secret

_BEGINS = Finding(Phase.BUILDING, "the builder is being started")


async def build(task: Task) -> Finding | None:
    """Go on with the build; None: it failed before, and nothing has changed since.

    Raises Blocked, KubeError, PeerUnavailable and PeerRefused.
    """
    kube, live, runtime = task.world.kube, task.live, task.runtime
    # What runs without an output is from another life of the peer: it knows no certificate of it.
    await remove(kube, live, "run")
    task.world.addresses.forget(task.key)
    wanted = await _wanted(task, runtime.attempt)
    job = live.job
    if job is None:
        if runtime.state is State.FAILED and held(live.build_secret).tried == _trial(wanted):
            return None
        await _begin(task, wanted)
        return _BEGINS
    if is_leaving(job) or not is_of_runtime(job, live.name) or not _is_over(task, job, wanted):
        return await _go_on(task, job)
    await kube.delete(JOBS, job)
    return _BEGINS


async def _wanted(task: Task, attempt: int) -> Manifest:
    language = task.runtime.language
    image = builder_image(task.of, task.world.images)
    if image is None:
        raise Blocked(
            "NoBuilder",
            f"no image builds {language or 'this package'}: name one in "
            f"spec.chaincode.builders.{language}.image of the Peer, or give the operator "
            f"--builder-image {language}=...",
        )
    settings = task.of.peer.spec.chaincode.builders.get(language)
    if settings is None:
        raise Blocked("NoBuilder", f"chaincode in {language} cannot be built here")
    namespace = task.key.namespace
    await check_readable(task.world.kube, namespace, settings.env)
    if settings.ca_bundle is not None:
        await check_bundle(task.world.kube, namespace, settings.ca_bundle.name)
    return builder_job(task.of, images=task.world.images, image=image, attempt=attempt)


def _is_over(task: Task, job: Manifest, wanted: Manifest) -> bool:
    """Whether another Job is to take its place; one that still works serves every attempt.

    A Job that is complete has stored an output, and the peer has none: it has lost it.
    """
    if text_at(job, "metadata", "annotations", BUILD) != _build(wanted) or is_complete(job):
        return True
    return is_failed(job) and _attempt(job) < task.runtime.attempt


async def _go_on(task: Task, job: Manifest) -> Finding:
    if not is_leaving(job):
        wanted = await _wanted(task, _attempt(job))
        await ensure(task.world.kube, wanted, job, runtime=task.live.name)
    return build_finding(job, task.live.builders)


async def _begin(task: Task, wanted: Manifest) -> None:
    """A certificate for this Job alone, then the Job."""
    kube, live, ccid = task.world.kube, task.live, task.runtime.ccid
    before = held(live.build_secret).fingerprint
    if before:
        await task.link.retire(before)
    seconds = integer_at(wanted, "spec", "activeDeadlineSeconds")
    lifetime = timedelta(seconds=seconds) + timedelta(minutes=5)
    secret = runtime_secret(
        task.of,
        name=build_name(task.of.peer.meta.name, ccid),
        component=BUILDER,
        certificate=await task.link.issue(ccid, Purpose.BUILDER, lifetime),
        now=task.now,
        tried=_trial(wanted),
    )
    await ensure(kube, secret, live.build_secret, runtime=live.name)
    await ensure(kube, wanted, None, runtime=live.name)


def _build(wanted: Manifest) -> str:
    return text_at(wanted, "metadata", "annotations", BUILD)


def _attempt(job: Manifest) -> int:
    text = text_at(job, "metadata", "annotations", ATTEMPT)
    return int(text) if text.isascii() and text.isdigit() else 0


def _trial(wanted: Manifest) -> str:
    return f"{_attempt(wanted)}/{_build(wanted)}"
