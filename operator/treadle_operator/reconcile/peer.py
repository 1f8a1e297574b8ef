"""The reconcile of a Peer: identity, children, volume, then channels, and status.

Ready means that the StatefulSet's pod is ready and that the peer is in its channels.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from treadle_operator.conditions import Condition
from treadle_operator.errors import Blocked, Forbidden, InvalidObject, NotFound, Rejected
from treadle_operator.kube import PEERS, PODS
from treadle_operator.model import (
    Key,
    Manifest,
    Meta,
    Peer,
    Reference,
    mapping_at,
    parse_meta,
    parse_peer,
)
from treadle_operator.names import peer_names
from treadle_operator.reconcile.channels import Served, not_asked, serve_peer
from treadle_operator.reconcile.children import ensure_children, grow_volume
from treadle_operator.reconcile.identity import ensure_identity, secrets_of
from treadle_operator.reconcile.observing import (
    IDENTITY,
    blocked_conditions,
    identity_condition,
    is_running,
    ready_with,
    running_conditions,
    storage_condition,
)
from treadle_operator.reconcile.status import write_status
from treadle_operator.reconcile.world import Outcome, World
from treadle_operator.resources import peer_endpoints


@dataclass(slots=True)
class _Findings:
    """What a reconcile found, as far as it came."""

    conditions: list[Condition] = field(default_factory=list)
    endpoints: Mapping[str, object] = field(default_factory=dict)
    served: Served = field(default_factory=Served)
    blocked: bool = False


async def reconcile_peer(key: Key, world: World) -> Outcome:
    """Make the cluster so as the Peer wants it, and write what is.

    Raises KubeError when the API server does not answer or refuses; everything is then looked at
    again from the beginning.
    """
    try:
        body = await world.kube.get(PEERS, key.namespace, key.name)
    except NotFound:
        await world.peers.drop(key.namespace, key.name)
        return Outcome(exists=False)
    meta = parse_meta(body)
    if meta.deleting:
        return Outcome()
    secrets: frozenset[str] = frozenset()
    found = _Findings()
    try:
        peer = parse_peer(body)
        _check_supported(peer)
        secrets = secrets_of(peer)
        await _work(peer, world, found)
    except InvalidObject as error:
        found.conditions = blocked_conditions("InvalidSpec", str(error))
    except Blocked as error:
        found.blocked = True
        found.conditions += blocked_conditions(error.reason, error.message)
    except (Forbidden, Rejected) as error:
        found.blocked = True
        reason = "NotAllowed" if isinstance(error, Forbidden) else "Refused"
        found.conditions += blocked_conditions(reason, f"the API server refuses: {error}")
    await _write(meta, body, world, found)
    return Outcome(
        refers=frozenset(Reference("Secret", name) for name in secrets), failed=found.blocked
    )


async def _work(peer: Peer, world: World, found: _Findings) -> None:
    kube = world.kube
    found.endpoints = peer_endpoints(peer)
    try:
        secrets = await ensure_identity(kube, peer, now=world.now())
    except Blocked as error:
        found.conditions.append(Condition(IDENTITY, False, error.reason, error.message, told=None))
        raise
    found.conditions.append(identity_condition(peer.spec.identity is None))
    statefulset = await ensure_children(kube, peer, images=world.images, secrets=secrets)
    problem = await grow_volume(kube, peer)
    found.conditions.append(storage_condition(problem, peer.spec.storage.size))
    names = peer_names(peer.meta.name, peer.spec.msp_id)
    pod = await kube.find(PODS, peer.meta.namespace, names.pod)
    running = running_conditions(statefulset, pod)
    if is_running(running):
        found.served = await serve_peer(world, peer)
        channels = found.served.condition
    else:
        found.served, channels = not_asked(peer)
    found.conditions += [*ready_with(running, channels), channels]
    found.blocked = channels.status is False


def _check_supported(peer: Peer) -> None:
    if peer.spec.ordering is not None:
        raise InvalidObject(
            "spec.ordering.external",
            "this version runs peers with embedded ordering only; remove it",
        )


async def _write(meta: Meta, body: Manifest, world: World, found: _Findings) -> None:
    await write_status(
        world.kube,
        PEERS,
        meta,
        previous=mapping_at(body, "status"),
        conditions=found.conditions,
        facts={
            "endpoints": dict(found.endpoints),
            "channels": found.served.channels,
            "runtimes": found.served.runtimes,
        },
        now=world.now(),
    )
