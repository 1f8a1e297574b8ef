"""Keeping the Secret of a developer: certificates for a day, replaced at half of it."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from treadle_operator import identities
from treadle_operator.errors import Blocked, OperatorError, Unavailable
from treadle_operator.kube import SECRETS, Kube
from treadle_operator.model import Manifest, Peer, text_at
from treadle_operator.model.peering import Certificate, Purpose
from treadle_operator.names import peer_names
from treadle_operator.peers import PeerLink
from treadle_operator.reconcile.deploying import Wish
from treadle_operator.reconcile.together import together
from treadle_operator.reconcile.world import World
from treadle_operator.resources import ports, secret_data, secret_manifest
from treadle_operator.resources.development import (
    ISSUED,
    Door,
    development_name,
    development_secret,
    doors_json,
    is_of_instantiation,
    issued_for,
    renew_at,
)

_log: Final = logging.getLogger(__name__)

LIFETIME: Final = timedelta(days=1)
_PAIR: Final = ("client.crt", "client.key", "ca.crt")
_Made = tuple[PeerLink, Certificate]


@dataclass(frozen=True, slots=True)
class Opened:
    """A peer that leaves the chaincode to developers, and what it calls that; empty without TLS."""

    peer: Peer
    link: PeerLink
    opening: str


async def keep_secret(
    world: World, wish: Wish, opened: Sequence[Opened], *, all_known: bool
) -> datetime | None:
    """Let the Secret be there and fresh, or gone where nobody develops; when it is due next. What
    is there stays as it is unless *all_known*: some peer may be of those or not.

    Raises Blocked, KubeError, PeerUnavailable and PeerRefused.
    """
    one = wish.instantiation
    namespace, name = one.meta.namespace, development_name(one.meta.name)
    live = await world.kube.find(SECRETS, namespace, name)
    if live is not None and not is_of_instantiation(live, one.meta.name):
        if not opened:
            return None
        raise Blocked(
            "NameTaken",
            f"Secret {name} is there already and does not belong to this ChaincodeInstantiation; "
            "delete it",
        )
    if live is not None and not all_known:
        return renew_at(live)
    if not opened:
        if live is not None:
            await world.kube.delete(SECRETS, live)
        return None
    text = issued_for(wish.ccid, [(each.peer.meta.name, each.opening) for each in opened])
    due = renew_at(live)
    complete = live is not None and "peers.json" in secret_data(live)
    same = text_at(live, "metadata", "annotations", ISSUED) == text
    if complete and same and due is not None and world.now() < due:
        return due
    due = world.now() + LIFETIME / 2
    made: list[_Made] = []
    try:
        data = await _data(world, wish, opened, made)
        metadata = development_secret(one, data=data, issued_for=text, renew_at=due)
        await world.kube.apply({**secret_manifest(dict(metadata), data), "type": "Opaque"})
    except Unavailable:
        raise  # perhaps it is written, and then what it holds has to count
    except OperatorError:
        # A peer lets few count: those of each try would end the ones that the Secret holds.
        await together(_retire(link, certificate) for link, certificate in made)
        raise
    return due


async def _retire(link: PeerLink, certificate: Certificate) -> None:
    """Nobody holds it; one that stays because the peer is away ends within a day."""
    try:
        await link.retire(certificate.fingerprint)
    except OperatorError as error:
        _log.warning("a developer's certificate that nobody holds is not retired: %s", error)


async def _data(
    world: World, wish: Wish, opened: Sequence[Opened], made: list[_Made]
) -> dict[str, bytes]:
    """Of all peers; the first one's also under names without a peer. *made* gets what is issued,
    also when another peer refuses.
    """
    # A certificate counts once it is issued, so what may be missing is read before.
    clients = await _of_clients(world.kube, opened[0].peer, wish)
    parts = await together(_of_peer(wish, each, made) for each in opened)
    found: dict[str, bytes] = {}
    for each, (_, pair) in zip(opened, parts, strict=True):
        found |= {f"{each.peer.meta.name}.{key}": value for key, value in pair.items()}
    first = opened[0]
    return {
        **found,
        **parts[0][1],
        **clients,
        "peers.json": doors_json([door for door, _ in parts]),
        "ccid": wish.ccid.encode(),
        "language": (wish.package.spec.language or "").encode(),
        "channel": wish.instantiation.spec.channel.encode(),
        "msp_id": first.peer.spec.msp_id.encode(),
    }


async def _of_peer(
    wish: Wish, opened: Opened, made: list[_Made]
) -> tuple[Door, Mapping[str, bytes]]:
    """Its door, and what opens it."""
    meta, tls = opened.peer.meta, opened.peer.spec.tls.enabled
    pod = peer_names(meta.name, opened.peer.spec.msp_id).pod
    door = {"peer": meta.name, "pod": pod, "port": ports.CHAINCODE}
    if not tls:
        return Door(**door, server_name="", tls=False), {}  # type: ignore[arg-type]
    issued = await opened.link.issue(
        wish.ccid, Purpose.DEVELOPMENT, LIFETIME, holder=wish.instantiation.meta.uid
    )
    made.append((opened.link, issued))
    host = issued.peer_address.rpartition(":")[0]
    pair = dict(zip(_PAIR, (issued.certificate, issued.private_key, issued.authority), strict=True))
    return Door(**door, server_name=host, tls=True), pair  # type: ignore[arg-type]


async def _of_clients(kube: Kube, peer: Peer, wish: Wish) -> dict[str, bytes]:
    """For invokes and queries: the authority of 7051, and a user of a generated organisation."""
    names, namespace = peer_names(peer.meta.name, peer.spec.msp_id), peer.meta.namespace
    found: dict[str, bytes] = {}
    if peer.spec.tls.enabled:
        given = peer.spec.tls.secret
        server = await _stored(kube, namespace, given.name if given else names.tls_secret)
        found["tls_ca.crt"] = secret_data(server).get("ca.crt", b"")
    if peer.spec.identity is None:
        authority = await _stored(kube, namespace, names.authority_secret)
        organization = identities.open_authority(
            peer.spec.msp_id, names.authority_secret, secret_data(authority)
        )
        user = identities.new_user(organization, wish.instantiation.meta.name, LIFETIME)
        found |= user
    return found


async def _stored(kube: Kube, namespace: str, name: str) -> Manifest:
    secret = await kube.find(SECRETS, namespace, name)
    if secret is None:
        raise Blocked("SecretMissing", f"there is no Secret {name} in namespace {namespace}")
    return secret
