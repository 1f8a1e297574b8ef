"""Sources that a Job gets: out of an image, or from the network.

The Job lives while somebody lacks the package and goes afterwards; a failed one is kept for a
while, and the next begins when it is gone.
"""

from __future__ import annotations

from treadle_operator.errors import Blocked, Conflict, HandoverFailed, InvalidObject
from treadle_operator.handover import receive
from treadle_operator.identities import new_handover
from treadle_operator.kube import JOBS, PEERS, PODS, SECRETS
from treadle_operator.model import (
    ArchiveSource,
    ChaincodePackage,
    ImageFiles,
    Manifest,
    Peer,
    items_at,
    mapping_at,
    parse_peer,
    text_at,
)
from treadle_operator.model.peering import Phase
from treadle_operator.names import fetch_name
from treadle_operator.reconcile.children import refused_by
from treadle_operator.reconcile.runtime_observing import build_finding, is_failed
from treadle_operator.reconcile.world import World
from treadle_operator.resources import secret_data, secret_manifest
from treadle_operator.resources.fetch_job import (
    PORT,
    SERVE,
    fetch_job,
    fetch_labels,
    handover_metadata,
    is_of_package,
)

_FETCHING = Blocked("Fetching", "a Job gets the sources and packs them")


def is_fetched(package: ChaincodePackage) -> bool:
    """Whether a Job has to get the source."""
    return isinstance(package.spec.source, ArchiveSource | ImageFiles)


async def fetch(world: World, package: ChaincodePackage, peer: str) -> bytes:
    """The packed source; *peer* is one that lacks it.

    Raises Blocked (Fetching: ask again; FetchFailed), KubeError.
    """
    job = await _job(world, package, peer)
    secret = await _secret(world, package, job)
    pods = await world.kube.list(PODS, package.meta.namespace, fetch_labels(package.meta.name))
    address = next(filter(None, map(_serving, pods)), None)
    if address is None:
        raise _why(job, pods)
    try:
        return await receive(f"{address}:{PORT}", secret_data(secret))
    except HandoverFailed as error:
        raise Blocked("Fetching", str(error)) from error


async def end_fetch(world: World, package: ChaincodePackage) -> None:
    """Nobody needs the source any more; raises KubeError."""
    job = await world.kube.find(JOBS, package.meta.namespace, fetch_name(package.meta.name))
    if job is not None and is_of_package(job, package) and not _is_leaving(job):
        await world.kube.delete(JOBS, job)


async def _job(world: World, package: ChaincodePackage, peer: str) -> Manifest:
    name, namespace = fetch_name(package.meta.name), package.meta.namespace
    job = await world.kube.find(JOBS, namespace, name)
    if job is None:
        wanted = fetch_job(package, await _peer(world, namespace, peer), world.images)
        with refused_by(wanted):
            try:
                return await world.kube.create(wanted)
            except Conflict:
                raise _FETCHING from None
    if not is_of_package(job, package) and not _is_leaving(job):
        # Of an object of this name that is gone; its own uid makes this safe.
        await world.kube.delete(JOBS, job)
    if not is_of_package(job, package) or _is_leaving(job):
        raise _FETCHING
    return job


async def _peer(world: World, namespace: str, name: str) -> Peer:
    try:
        return parse_peer(await world.kube.get(PEERS, namespace, name))
    except InvalidObject as error:
        raise Blocked("PeerNotReady", f"Peer {name} is not valid: {error}") from error


async def _secret(world: World, package: ChaincodePackage, job: Manifest) -> Manifest:
    """The Job's own; its pod waits until it is there."""
    namespace, name = package.meta.namespace, text_at(job, "metadata", "name")
    found = await world.kube.find(SECRETS, namespace, name)
    if found is not None:
        return found
    manifest = secret_manifest(handover_metadata(package, job), new_handover())
    try:
        return await world.kube.create(manifest)
    except Conflict:
        raise _FETCHING from None


def _is_leaving(job: Manifest) -> bool:
    return bool(mapping_at(job, "metadata").get("deletionTimestamp"))


def _serving(pod: Manifest) -> str:
    """Where the pod hands over, when it does."""
    for status in items_at(pod, "status", "containerStatuses"):
        ready = isinstance(status, dict) and status.get("ready") is True
        if ready and text_at(status, "name") == SERVE:
            return text_at(pod, "status", "podIP")
    return ""


def _why(job: Manifest, pods: list[Manifest]) -> Blocked:
    finding = build_finding(job, pods)
    if finding.phase is not Phase.FAILED:
        return _FETCHING
    said = f": {finding.ended.said}" if finding.ended and finding.ended.said else ""
    then = "; it is tried again within five minutes" if is_failed(job) else ""
    name = text_at(job, "metadata", "name")
    return Blocked("FetchFailed", f"Job {name}: {finding.message}{said}{then}")
