"""Where a Peer is, and as whom the operator speaks with it: read from its Secrets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from treadle_fabric.client import Endpoint, TLSOptions
from treadle_fabric.identity import CertificateError, SigningIdentity

from treadle_operator.errors import InvalidObject, PeerUnavailable
from treadle_operator.identities import fingerprint
from treadle_operator.kube import PEERS, SECRETS, Kube
from treadle_operator.model import Peer, parse_peer
from treadle_operator.names import PeerNames, peer_names
from treadle_operator.resources import ports, secret_data

Data = Mapping[str, bytes]

_ADMIN: Final = ("signcert.pem", "key.pem")
_OPERATOR: Final = ("ca.crt", "client.crt", "client.key")


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """The way to one peer.

    ``orderer`` is None where others order, ``runtime`` where the peer has no TLS and so no
    operator's port. ``operations`` is the URL of its registry of processes. ``fingerprint``
    changes with any of it.
    """

    name: str
    signer: SigningIdentity
    peer: Endpoint
    orderer: Endpoint | None
    runtime: Endpoint | None
    operations: str
    fingerprint: str


async def read_access(kube: Kube, namespace: str, name: str) -> Access:
    """The way to the Peer *name*; raises PeerUnavailable when something of it is not there yet."""
    body = await kube.find(PEERS, namespace, name)
    if body is None:
        raise PeerUnavailable(f"there is no Peer {name} in namespace {namespace}; create it")
    try:
        peer = parse_peer(body)
    except InvalidObject as error:
        raise PeerUnavailable(f"Peer {name} is not valid: {error}") from error
    names = peer_names(name, peer.spec.msp_id)
    admin = peer.spec.identity.admin.name if peer.spec.identity else names.admin_secret
    member = await _secret(kube, namespace, admin, _ADMIN)
    if not peer.spec.tls.enabled:
        return _access(peer, names, member, {}, {})
    given = peer.spec.tls.secret
    server = await _secret(kube, namespace, given.name if given else names.tls_secret, ("ca.crt",))
    operator = await _secret(kube, namespace, names.operator_secret, _OPERATOR)
    return _access(peer, names, member, server, operator)


async def _secret(kube: Kube, namespace: str, name: str, keys: tuple[str, ...]) -> Data:
    secret = await kube.find(SECRETS, namespace, name)
    data = secret_data(secret) if secret is not None else {}
    if not all(data.get(key) for key in keys):
        raise PeerUnavailable(f"Secret {name} with {', '.join(keys)} is not there yet")
    return {key: data[key] for key in keys}


def _access(peer: Peer, names: PeerNames, member: Data, server: Data, operator: Data) -> Access:
    try:
        signer = SigningIdentity.from_pem(
            msp_id=peer.spec.msp_id,
            certificate=member["signcert.pem"],
            private_key=member["key.pem"],
        )
    except CertificateError as error:
        raise PeerUnavailable(f"the admin of Peer {peer.meta.name} cannot sign: {error}") from error
    client = TLSOptions(root_certificates=server["ca.crt"]) if server else None
    domain = f"{peer.meta.namespace}.svc"
    return Access(
        name=peer.meta.name,
        signer=signer,
        peer=Endpoint(address=f"{names.service}.{domain}:{ports.PEER}", tls=client),
        orderer=Endpoint(address=f"{names.service}.{domain}:{ports.ORDERING}", tls=client)
        if peer.spec.ordering is None
        else None,
        runtime=_runtime(f"{names.internal}.{domain}:{ports.RUNTIME}", operator),
        operations=f"http://{names.service}.{domain}:{ports.OPERATIONS}/runtimes",
        fingerprint=fingerprint(member, server, operator, {"uid": peer.meta.uid.encode()}),
    )


def _runtime(address: str, data: Data) -> Endpoint | None:
    if not data:
        return None
    options = TLSOptions(
        root_certificates=data["ca.crt"],
        client_certificate=data["client.crt"],
        client_key=data["client.key"],
    )
    return Endpoint(address=address, tls=options)
