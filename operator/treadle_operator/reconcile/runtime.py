"""The reconcile of a runtime: one chaincode of one peer, built once and kept running.

The peer says what is required, and how far it is; the cluster says what there is. What the peer
does not require is taken away.
"""

from __future__ import annotations

from typing import Final

from treadle_operator.claims import claims, mode_of
from treadle_operator.errors import Blocked, InvalidObject, KubeError, PeerRefused, Unavailable
from treadle_operator.kube import PEERS
from treadle_operator.model import (
    ChaincodeServer,
    Key,
    Kind,
    Mode,
    Peer,
    Reference,
    RuntimeSettings,
    parse_meta,
    parse_peer,
)
from treadle_operator.model.peering import Phase, Runtime, State
from treadle_operator.reconcile.runtime_building import build
from treadle_operator.reconcile.runtime_objects import Live, Task, look, remove
from treadle_operator.reconcile.runtime_observing import Ended, Finding, addresses, is_told
from treadle_operator.reconcile.runtime_running import run
from treadle_operator.reconcile.world import Outcome, World
from treadle_operator.resources.runtime_parts import RuntimeOf
from treadle_operator.resources.runtime_secret import held

_LOG_LINES: Final = 20
_LONGEST_PAUSE: Final = 300.0


async def reconcile_runtime(key: Key, world: World) -> Outcome:
    """Make the cluster so as the peer wants it, and tell the peer how far that is.

    Raises KubeError and PeerUnavailable; everything is then looked at again from the beginning.
    """
    name, _, ccid = key.name.partition("/")
    live = await look(world.kube, key.namespace, name, ccid)
    peer = await _peer(world, key.namespace, name)
    if peer is None or not peer.spec.tls.enabled:
        return await _gone(key, world, live)
    refers = frozenset({Reference(Kind.PEER, name)})
    link = await world.peers.link(key.namespace, name)
    if not link.synced:
        return Outcome(refers=refers)
    runtime = link.runtimes.get(ccid)
    if runtime is None or runtime.state is State.STOPPED:
        return await _gone(key, world, live)
    of, settings, mode = await _wanted(key, world, peer, runtime)
    if mode is Mode.DEVELOPMENT:
        # A developer runs it: nothing of ours may be in the way. But what is at work finishes: the
        # peer gives it nothing new, and tells when it is done.
        if not runtime.instances:
            await _gone(key, world, live)
        return Outcome(refers=refers)
    task = Task(
        key=key,
        world=world,
        link=link,
        runtime=runtime,
        of=of,
        settings=settings,
        live=live,
        now=world.now(),
    )
    return await _work(task, refers | _secrets(of, settings))


async def _peer(world: World, namespace: str, name: str) -> Peer | None:
    """None: it is gone or going. Raises Unavailable for one that cannot be understood now."""
    body = await world.kube.find(PEERS, namespace, name)
    if body is None or parse_meta(body).deleting:
        return None
    try:
        return parse_peer(body)
    except InvalidObject as error:
        raise Unavailable(f"Peer {name}: {error}") from error


async def _gone(key: Key, world: World, live: Live) -> Outcome:
    await remove(world.kube, live, "run", "build")
    world.addresses.forget(key)
    return Outcome(exists=False)


async def _wanted(
    key: Key, world: World, peer: Peer, runtime: Runtime
) -> tuple[RuntimeOf, RuntimeSettings, Mode]:
    """Who claims it, and how the oldest of them wants it to run."""
    entries = await world.directory.entries(world.kube, key.namespace)
    found = claims(peer.meta.name, runtime.ccid, entries.instantiations, entries.packages)
    wanting = tuple(claim.instantiation for claim in found)
    of = RuntimeOf(
        peer=peer,
        ccid=runtime.ccid,
        language=runtime.language,
        claimed_by=wanting,
        prebuilt=runtime.prebuilt,
    )
    defaults = peer.spec.chaincode.runtime_defaults
    if not wanting:
        return of, defaults, peer.spec.mode
    oldest = wanting[0].spec
    return of, oldest.runtime.over(defaults), mode_of(found, peer)


def _secrets(of: RuntimeOf, settings: RuntimeSettings) -> frozenset[Reference]:
    """What environment variables are read from, and what a server is known by."""
    builder = of.peer.spec.chaincode.builders.get(of.language)
    variables = (*settings.env, *(builder.env if builder is not None else ()))
    names = {one.secret.name for one in variables if one.secret is not None}
    if isinstance(of.prebuilt, ChaincodeServer) and of.prebuilt.secret is not None:
        names.add(of.prebuilt.secret.name)
    return frozenset(Reference("Secret", name) for name in names)


async def _work(task: Task, refers: frozenset[Reference]) -> Outcome:
    failed = False
    try:
        finding = await (run(task) if task.runtime.is_built else build(task))
    except Blocked as error:
        failed, finding = True, Finding(Phase.FAILED, error.message)
    except PeerRefused as error:
        failed, finding = True, Finding(Phase.FAILED, f"the peer refuses: {error.message}")
    if finding is not None:
        failed |= not await _tell(task, finding)
    return Outcome(refers=refers, failed=failed, again=_until_renewal(task))


async def _tell(task: Task, finding: Finding) -> bool:
    """Tell the peer what it does not know; whether it wanted to hear it."""
    present = addresses(task.live.running)
    known = task.world.addresses.knows(task.key, present, task.now)
    if known and is_told(finding, task.runtime):
        return True
    phase, message, ended = finding.phase, finding.message, finding.ended
    if task.runtime.state is State.REGISTERED:
        # Only where its pods are: how it fares the peer knows itself.
        phase, message, ended = Phase.STARTING, task.runtime.message, None
    try:
        await task.link.report(
            task.runtime.ccid,
            phase,
            message,
            log_tail=await _log_tail(task, ended),
            pod_addresses=present,
        )
    except PeerRefused:
        return False
    task.world.addresses.told(task.key, present, task.now)
    return True


async def _log_tail(task: Task, ended: Ended | None) -> str:
    """The end of the log, or what is left of it where the log is gone."""
    if ended is None:
        return ""
    try:
        found = await task.world.kube.logs(
            task.key.namespace, ended.pod, ended.container, tail=_LOG_LINES
        )
    except KubeError:
        return ended.said
    return found or ended.said


def _until_renewal(task: Task) -> float | None:
    """Seconds, when a certificate is due before everything is looked at anyway."""
    at = held(task.live.secret).renew_at
    if at is None:
        return None
    seconds = (at - task.world.now()).total_seconds()
    return max(seconds, 1.0) if seconds < _LONGEST_PAUSE else None
