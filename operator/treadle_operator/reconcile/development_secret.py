"""Keeping the Secret of a developer: certificates for a day, replaced at half of it."""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from treadle_operator import identities
from treadle_operator.errors import Blocked, OperatorError, Unavailable
from treadle_operator.kube import SECRETS, Kube
from treadle_operator.model import Manifest, Peer
from treadle_operator.model.peering import Certificate, Purpose
from treadle_operator.names import peer_names
from treadle_operator.peers import PeerLink
from treadle_operator.reconcile.deploying import Wish
from treadle_operator.reconcile.together import together
from treadle_operator.reconcile.world import World
from treadle_operator.resources import ports, secret_data, secret_manifest
from treadle_operator.resources.development import (
    PAIR,
    Door,
    Entry,
    development_name,
    development_secret,
    doors_json,
    is_of_instantiation,
    issued_for,
    renew_at,
    stored_entries,
)

_log: Final = logging.getLogger(__name__)

LIFETIME: Final = timedelta(days=1)
_KEPT: Final = "kept"
"""Instead of an opening: it was not renewed with the others, and is when its peer is back."""
_Made = tuple[PeerLink, Certificate]


@dataclass(frozen=True, slots=True)
class Opened:
    """A peer that leaves the chaincode to developers, and what it calls that; empty without TLS."""

    peer: Peer
    link: PeerLink
    opening: str


async def keep_secret(
    world: World, wish: Wish, opened: Sequence[Opened], *, unknown: Collection[str]
) -> datetime | None:
    """Let the Secret be there and fresh, or gone where nobody develops; when it is due next. What
    it has of peers that are *unknown* stays: they may be of those or not.

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
    if not opened:
        if live is not None and not unknown:
            await world.kube.delete(SECRETS, live)
        return None
    stored, due = stored_entries(live, wish.ccid), renew_at(live)
    others = [entry for name, entry in stored.items() if name in unknown]
    held: dict[str, Entry] = {}
    if due is not None and world.now() < due:
        held = _held(opened, stored)
        if len(held) == len(opened) and len(held) + len(others) == len(stored):
            return due
    else:
        others = [replace(entry, opening=_KEPT) for entry in others]
        due = None
    if due is None or not (held or others):
        due = world.now() + LIFETIME / 2
    made: list[_Made] = []
    try:
        # A certificate counts once it is issued, so what may be missing is read before.
        clients = await _of_clients(world.kube, opened[0].peer, wish)
        own = await together(_of_peer(wish, each, held, made) for each in opened)
        data = {**_data(wish, opened[0].peer, [*own, *others]), **clients}
        text = issued_for(wish.ccid, [*own, *others])
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


def _held(opened: Sequence[Opened], stored: Mapping[str, Entry]) -> dict[str, Entry]:
    """What is stored of those that are opened, and is still for that."""
    found = {}
    for each in opened:
        entry = stored.get(each.peer.meta.name)
        if entry is not None and entry.opening == each.opening and entry.is_whole:
            found[entry.door.peer] = entry
    return found


def _data(wish: Wish, first: Peer, entries: Sequence[Entry]) -> dict[str, bytes]:
    """Of all peers; the first one's also under names without a peer."""
    found = {
        f"{each.door.peer}.{key}": value for each in entries for key, value in each.files.items()
    }
    return {
        **found,
        **entries[0].files,
        "peers.json": doors_json([each.door for each in entries]),
        "ccid": wish.ccid.encode(),
        "language": (wish.package.spec.language or "").encode(),
        "channel": wish.instantiation.spec.channel.encode(),
        "msp_id": first.spec.msp_id.encode(),
    }


async def _of_peer(
    wish: Wish, opened: Opened, held: Mapping[str, Entry], made: list[_Made]
) -> Entry:
    """Its door, and what opens it. *made* gets what is issued, also when another peer refuses."""
    meta, tls = opened.peer.meta, opened.peer.spec.tls.enabled
    if meta.name in held:
        return held[meta.name]
    pod = peer_names(meta.name, opened.peer.spec.msp_id).pod
    host, files = "", {}
    if tls:
        holder = wish.instantiation.meta.uid
        issued = await opened.link.issue(wish.ccid, Purpose.DEVELOPMENT, LIFETIME, holder=holder)
        made.append((opened.link, issued))
        host = issued.peer_address.rpartition(":")[0]
        parts = issued.certificate, issued.private_key, issued.authority
        files = dict(zip(PAIR, parts, strict=True))
    door = Door(peer=meta.name, pod=pod, port=ports.CHAINCODE, server_name=host, tls=tls)
    return Entry(door=door, opening=opened.opening, files=files)


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
