"""Both ends' certificates of the port where the operator connects to a peer.

The port has an authority of its own, which serves nothing else. All of it can be made anew at any
time, so its Secrets go with the Peer; certificates are issued anew at two thirds of their life.
Each Secret follows from the one before: an interruption is continued by the next reconcile.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from datetime import datetime

from treadle_operator import identities
from treadle_operator.errors import Blocked
from treadle_operator.kube import SECRETS, Kube
from treadle_operator.model import Manifest, Peer, mapping_at
from treadle_operator.names import PeerNames, peer_names
from treadle_operator.resources import (
    SERVER_NAMES,
    differs,
    is_of_peer,
    owned_metadata,
    secret_data,
    secret_manifest,
    server_names,
    stamped,
)

Data = Mapping[str, bytes]


def runtime_secrets_of(peer: Peer) -> frozenset[str]:
    """Names of the Secrets that are made here."""
    if not peer.spec.tls.enabled:
        return frozenset()
    names = peer_names(peer.meta.name, peer.spec.msp_id)
    return frozenset({names.runtime_secret, names.operator_secret, names.operator_authority})


async def ensure_runtime_identity(kube: Kube, peer: Peer, *, now: datetime) -> Manifest | None:
    """The Secret for the peer's pod; None for a peer that no operator connects to.

    Raises Blocked when one of the names is taken; KubeError.
    """
    if not peer.spec.tls.enabled:
        return None
    names = peer_names(peer.meta.name, peer.spec.msp_id)
    wanted = (names.operator_authority, names.runtime_secret, names.operator_secret)
    found = await asyncio.gather(
        *(kube.find(SECRETS, peer.meta.namespace, name) for name in wanted)
    )
    for name, live in zip(wanted, found, strict=True):
        _check_free(peer, name, live)
    return await _ensure(kube, peer, names, found, now)


async def _ensure(
    kube: Kube, peer: Peer, names: PeerNames, found: list[Manifest | None], now: datetime
) -> Manifest:
    live_authority, live_server, live_client = found
    hosts = server_names(peer, names)
    annotation = {SERVER_NAMES: " ".join(hosts)}
    kept = await _keep(
        kube,
        owned_metadata(peer, names.operator_authority, {}),
        live_authority,
        good=lambda data: identities.is_fresh_authority(data, now),
        make=identities.new_operator_authority,
    )
    authority = secret_data(kept)
    named = mapping_at(live_server, "metadata", "annotations").get(SERVER_NAMES)
    server = await _keep(
        kube,
        owned_metadata(peer, names.runtime_secret, annotation),
        live_server,
        good=lambda data: (
            named == annotation[SERVER_NAMES]
            and identities.is_fresh(data, authority, name="tls", now=now)
        ),
        make=lambda: identities.new_operator_port(authority, peer.meta.name, hosts),
    )
    await _keep(
        kube,
        owned_metadata(peer, names.operator_secret, {}),
        live_client,
        good=lambda data: identities.is_fresh(data, authority, name="client", now=now),
        make=lambda: identities.new_operator(authority),
    )
    return server


async def _keep(
    kube: Kube,
    wanted: Manifest,
    live: Manifest | None,
    *,
    good: Callable[[Data], bool],
    make: Callable[[], Data],
) -> Manifest:
    """The Secret with what it holds, or with something new where that is not *good*."""
    data = secret_data(live) if live is not None else {}
    if live is None or not good(data):
        return await kube.apply(stamped(secret_manifest(wanted, make())))
    kept = stamped(secret_manifest(wanted, data))
    return await kube.apply(kept) if differs(kept, live) else live


def _check_free(peer: Peer, name: str, live: Manifest | None) -> None:
    if live is not None and not is_of_peer(live, peer.meta.name):
        raise Blocked(
            "NameTaken",
            f"Secret {name} is there already and does not belong to this Peer; delete it, or give "
            "the Peer another name",
        )
