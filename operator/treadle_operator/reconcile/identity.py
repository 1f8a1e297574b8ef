"""The identity of a Peer: given Secrets checked, or generated ones made once and kept.

Nothing that exists is ever generated again. The order of making is the order of dependence
(authority, then what it issues), each with a create that fails where something is already, so
that an interruption at any point is continued by the next reconcile.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from treadle_fabric.identity import GeneratedOrganization

from treadle_operator import identities
from treadle_operator.errors import Blocked, Conflict, InvalidObject
from treadle_operator.kube import CLAIMS, PEERS, SECRETS, Kube
from treadle_operator.model import Manifest, Peer, mapping_at, parse_peer, text_at
from treadle_operator.names import PeerNames, peer_names
from treadle_operator.reconcile.runtime_identity import (
    ensure_runtime_identity,
    runtime_secrets_of,
)
from treadle_operator.resources import (
    MSP_ID,
    SERVER_NAMES,
    MSPFiles,
    PeerSecrets,
    msp_files,
    organization_metadata,
    secret_data,
    secret_manifest,
    secret_metadata,
    server_names,
)

_TLS_KEYS = ("tls.crt", "tls.key", "ca.crt")


@dataclass(frozen=True, slots=True)
class _Stored:
    """What there is of a Peer's identity."""

    authority: Manifest | None
    admin: Manifest | None
    msp: Manifest | None
    tls: Manifest | None
    claim: Manifest | None


def secrets_of(peer: Peer) -> frozenset[str]:
    """Names of all Secrets that the Peer depends on."""
    names = peer_names(peer.meta.name, peer.spec.msp_id)
    identity, tls = peer.spec.identity, peer.spec.tls
    if identity is None:
        found = {names.authority_secret, names.admin_secret, names.msp_secret}
    else:
        found = {identity.msp.name, identity.admin.name}
    if tls.enabled:
        found.add(tls.secret.name if tls.secret else names.tls_secret)
    return runtime_secrets_of(peer) | found


async def ensure_identity(kube: Kube, peer: Peer, *, now: datetime) -> PeerSecrets:
    """The Secrets to mount, made where they are generated and missing.

    Raises Blocked when one is missing, unusable or another organisation's; KubeError.
    """
    names = peer_names(peer.meta.name, peer.spec.msp_id)
    stored = await _look(kube, peer, names)
    _check_claim(peer, names, stored.claim)
    if peer.spec.identity is None:
        msp, tls = await _generated(kube, peer, names, stored)
    else:
        msp = await _given(kube, peer, peer.spec.identity.msp.name)
        _check_msp(peer, msp)
        _check_msp(peer, await _given(kube, peer, peer.spec.identity.admin.name))
        tls = await _tls(kube, peer, names, stored, None)
    runtime = await ensure_runtime_identity(kube, peer, now=now)
    return _secrets(peer, msp, tls, runtime)


async def _look(kube: Kube, peer: Peer, names: PeerNames) -> _Stored:
    namespace = peer.meta.namespace
    found = await asyncio.gather(
        kube.find(SECRETS, namespace, names.authority_secret),
        kube.find(SECRETS, namespace, names.admin_secret),
        kube.find(SECRETS, namespace, names.msp_secret),
        kube.find(SECRETS, namespace, names.tls_secret),
        kube.find(CLAIMS, namespace, names.claim),
    )
    return _Stored(*found)


def _check_claim(peer: Peer, names: PeerNames, claim: Manifest | None) -> None:
    """The ledger that is there already has to be this organisation's."""
    if claim is None:
        return
    kept = text_at(claim, "metadata", "annotations", MSP_ID)
    if kept != peer.spec.msp_id:
        whose = f"belongs to {kept}" if kept else "was not made for a Peer"
        raise Blocked(
            "IdentityMismatch",
            f"the volume claim {names.claim} {whose}, not to {peer.spec.msp_id}; give the Peer "
            "another name, or delete the claim if its ledger may be lost",
        )


async def _generated(
    kube: Kube, peer: Peer, names: PeerNames, stored: _Stored
) -> tuple[Manifest, Manifest | None]:
    """The Secrets of the peer's MSP and of its TLS certificate."""
    for secret in (stored.authority, stored.admin, stored.msp):
        _check_owner(peer, secret)
    members = await _members(kube, peer)

    def shared(name: str, live: Manifest | None) -> Manifest:
        return organization_metadata(peer, name, members=members, live=live)

    def own(name: str, live: Manifest | None) -> Manifest:
        return secret_metadata(peer, name, {})

    authority = stored.authority
    if authority is None:
        _check_nothing_issued(peer, names, stored)
        data = identities.new_authority(peer.spec.msp_id, peer.meta.namespace)
        authority = await _create(kube, shared(names.authority_secret, None), data)
    authority = await _keep(kube, authority, shared)
    organization = _open(peer, authority)
    admin = stored.admin
    if admin is None:
        data = identities.new_member(organization, "admin", "admin")
        admin = await _create(kube, shared(names.admin_secret, None), data)
    await _keep(kube, admin, shared)
    msp = stored.msp
    if msp is None:
        data = identities.new_member(organization, "peer", peer.meta.name)
        msp = await _create(kube, own(names.msp_secret, None), data)
    msp = await _keep(kube, msp, own)
    return msp, await _tls(kube, peer, names, stored, organization)


def _check_owner(peer: Peer, secret: Manifest | None) -> None:
    """A Secret of one of our names has to be ours, and of this organisation."""
    if secret is None:
        return
    kept = text_at(secret, "metadata", "annotations", MSP_ID)
    if kept != peer.spec.msp_id:
        name = text_at(secret, "metadata", "name")
        whose = f"belongs to {kept}" if kept else "was not made by the operator"
        raise Blocked(
            "IdentityMismatch",
            f"Secret {name} {whose}, but the Peer is of {peer.spec.msp_id}; give the Peer "
            "another name, or delete the Secret if its keys may be lost",
        )


def _check_nothing_issued(peer: Peer, names: PeerNames, stored: _Stored) -> None:
    """A new authority beside what an older one issued would make two organisations of one name."""
    issued = {
        f"Secret {names.admin_secret}": stored.admin,
        f"Secret {names.msp_secret}": stored.msp,
        f"volume claim {names.claim}": stored.claim,
    }
    found = [name for name, live in issued.items() if live is not None]
    if found:
        raise Blocked(
            "IdentityMismatch",
            f"Secret {names.authority_secret} is missing, but {' and '.join(found)} came from it; "
            f"restore it from a backup, or delete them to let {peer.spec.msp_id} begin anew",
        )


async def _members(kube: Kube, peer: Peer) -> list[Peer]:
    """The present Peers whose organisation is the same generated one."""
    found = [peer]
    for body in await kube.list(PEERS, peer.meta.namespace):
        try:
            other = parse_peer(body)
        except InvalidObject:
            continue
        same = other.spec.msp_id == peer.spec.msp_id and other.spec.identity is None
        if same and other.meta.name != peer.meta.name and not other.meta.deleting:
            found.append(other)
    return found


def _open(peer: Peer, authority: Manifest) -> GeneratedOrganization:
    name = text_at(authority, "metadata", "name")
    return identities.open_authority(peer.spec.msp_id, name, secret_data(authority))


async def _create(kube: Kube, metadata: Manifest, data: Mapping[str, bytes]) -> Manifest:
    """Create a Secret; when somebody was faster, theirs holds."""
    # The owners are applied afterwards, so that applying can take them away again.
    bare = {**metadata, "ownerReferences": []}
    try:
        return await kube.create(secret_manifest(bare, data))
    except Conflict:
        namespace, name = (text_at(metadata, key) for key in ("namespace", "name"))
        return await kube.get(SECRETS, namespace, name)


async def _keep(
    kube: Kube, live: Manifest, metadata: Callable[[str, Manifest | None], Manifest]
) -> Manifest:
    """Let labels, annotations and owners of a Secret be what they are to be; never its data.

    The data goes along, as it was read: server-side apply takes away what is left out. The version
    makes sure that nobody has changed it since.
    """
    wanted = metadata(text_at(live, "metadata", "name"), live)
    if _same_metadata(wanted, live):
        return live
    versioned = {**wanted, "resourceVersion": text_at(live, "metadata", "resourceVersion")}
    return await kube.apply(secret_manifest(versioned, secret_data(live)))


def _same_metadata(wanted: Manifest, live: Manifest) -> bool:
    parts = ("labels", "annotations")
    held = all(
        mapping_at(live, "metadata", part).get(key) == value
        for part in parts
        for key, value in mapping_at(wanted, part).items()
    )
    return held and _uids(wanted) == _uids(mapping_at(live, "metadata"))


def _uids(metadata: Mapping[str, object]) -> set[str]:
    owners = metadata.get("ownerReferences")
    return {text_at(owner, "uid") for owner in owners} if isinstance(owners, list) else set()


async def _given(kube: Kube, peer: Peer, name: str) -> Manifest:
    secret = await kube.find(SECRETS, peer.meta.namespace, name)
    if secret is None:
        raise Blocked(
            "SecretMissing",
            f"there is no Secret {name} in namespace {peer.meta.namespace}; create it",
        )
    return secret


async def _tls(
    kube: Kube,
    peer: Peer,
    names: PeerNames,
    stored: _Stored,
    organization: GeneratedOrganization | None,
) -> Manifest | None:
    """The server's certificate: given, or issued anew only when its names change."""
    if not peer.spec.tls.enabled:
        return None
    if peer.spec.tls.secret is not None:
        return await _given(kube, peer, peer.spec.tls.secret.name)
    if organization is None:
        raise Blocked(
            "TLSSecretNeeded",
            "the organisation is a given one, so nobody here can issue its TLS certificate; "
            "name a Secret with tls.crt, tls.key and ca.crt in spec.tls.secretRef",
        )
    _check_owner(peer, stored.tls)
    hosts = server_names(peer, names)
    wanted = {SERVER_NAMES: " ".join(hosts)}
    metadata = secret_metadata(peer, names.tls_secret, wanted)
    live = stored.tls
    if live is None or text_at(live, "metadata", "annotations", SERVER_NAMES) != " ".join(hosts):
        data = identities.new_server_certificate(organization, names.service, hosts)
        if live is not None:
            return await kube.apply(secret_manifest(metadata, data))
        live = await _create(kube, metadata, data)
    return await _keep(kube, live, lambda name, now: metadata)


def _check_msp(peer: Peer, secret: Manifest) -> MSPFiles:
    name, data = text_at(secret, "metadata", "name"), secret_data(secret)
    files = msp_files(name, data)
    identities.check_member(peer.spec.msp_id, name, data)
    return files


def _secrets(
    peer: Peer, msp: Manifest, tls: Manifest | None, runtime: Manifest | None
) -> PeerSecrets:
    files = _check_msp(peer, msp)
    material = secret_data(tls) if tls is not None else {}
    missing = [key for key in _TLS_KEYS if tls is not None and not material.get(key)]
    tls_name = text_at(tls, "metadata", "name") if tls is not None else None
    if missing:
        raise Blocked("SecretInvalid", f"Secret {tls_name} has no {' and no '.join(missing)}")
    return PeerSecrets(
        msp=text_at(msp, "metadata", "name"),
        msp_files=files,
        tls=tls_name,
        runtime=text_at(runtime, "metadata", "name") if runtime is not None else None,
        fingerprint=identities.fingerprint(secret_data(msp), material, secret_data(runtime or {})),
    )
