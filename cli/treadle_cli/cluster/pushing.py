"""``treadle package push``: pack a folder, install it over port-forwards, say what to apply."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import yaml
from treadle_fabric.client import (
    ClientError,
    EndorsementFailed,
    Endpoint,
    PeerAdministration,
    PeerConnection,
    TLSOptions,
)
from treadle_fabric.identity import CertificateError, SigningIdentity
from treadle_fabric.packages import (
    ChaincodePackage,
    PackageFormatError,
    build_legacy_package,
    parse_legacy_package,
)
from treadle_operator.errors import InvalidObject
from treadle_operator.model import VERSION, Peer, parse_peer
from treadle_operator.names import peer_names, slug

from treadle_cli.cluster.kubectl import Kubectl
from treadle_cli.errors import TreadleError

_PEER_KIND: Final = "peers.treadle.dev"
_PORT: Final = 7051
_CONNECT_SECONDS: Final = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Push:
    """A folder of sources, what it is to be called, and the Peers that are to have it."""

    folder: Path
    name: str
    version: str
    language: str
    peers: Sequence[str]


async def push(kubectl: Kubectl, wanted: Push) -> str:
    """Install at every peer, and return the ChaincodePackage (YAML) that refers to it.

    A peer that has the same package already is content. Raises TreadleError.
    """
    package = _pack(wanted)
    for name in wanted.peers:
        await _install(kubectl, wanted, name, package)
    return _manifest(wanted, package)


def _called(wanted: Push) -> str:
    return f"{wanted.name}:{wanted.version}"


def _pack(wanted: Push) -> ChaincodePackage:
    try:
        raw = build_legacy_package(
            name=wanted.name,
            version=wanted.version,
            language=wanted.language,
            path=wanted.name,
            source=wanted.folder,
            dependencies=True,  # vendored ones are what a build without a network needs
        )
        return parse_legacy_package(raw)
    except (PackageFormatError, OSError) as error:
        raise TreadleError(f"{wanted.folder} cannot be packed: {error}") from None


async def _install(kubectl: Kubectl, wanted: Push, name: str, package: ChaincodePackage) -> None:
    peer = _parsed(await kubectl.object(_PEER_KIND, name))
    signer, tls = await _admin(kubectl, peer), await _tls(kubectl, peer)
    pod = peer_names(name, peer.spec.msp_id).pod
    async with kubectl.forwarded(pod, _PORT) as address:
        connection = PeerConnection(Endpoint(address=address, tls=tls))
        try:
            await connection.wait_ready(within=_CONNECT_SECONDS)
            administration = PeerAdministration(peer=connection, signer=signer)
            await _install_once(administration, package)
        except ClientError as error:
            raise TreadleError(f"Peer {name} does not take {_called(wanted)}", str(error)) from None
        finally:
            await connection.close()


async def _install_once(administration: PeerAdministration, package: ChaincodePackage) -> None:
    """Fabric refuses every second install, also of the same bytes: that one is no failure here."""
    try:
        await administration.install(package.raw)
    except EndorsementFailed:
        known = (package.name, package.version, package.id)
        installed = await administration.installed()
        if known not in {(found.name, found.version, bytes(found.id)) for found in installed}:
            raise


def _parsed(body: object) -> Peer:
    try:
        return parse_peer(body if isinstance(body, dict) else {})
    except InvalidObject as error:
        raise TreadleError(f"the Peer is not usable: {error}") from None


async def _admin(kubectl: Kubectl, peer: Peer) -> SigningIdentity:
    given = peer.spec.identity
    generated = peer_names(peer.meta.name, peer.spec.msp_id).admin_secret
    name = generated if given is None else given.admin.name
    secret = await kubectl.secret(name)
    try:
        return SigningIdentity.from_pem(
            msp_id=peer.spec.msp_id,
            certificate=secret["signcert.pem"],
            private_key=secret["key.pem"],
        )
    except (KeyError, CertificateError) as error:
        raise TreadleError(f"Secret {name} holds no usable admin identity: {error}") from None


async def _tls(kubectl: Kubectl, peer: Peer) -> TLSOptions | None:
    if not peer.spec.tls.enabled:
        return None
    names = peer_names(peer.meta.name, peer.spec.msp_id)
    name = names.tls_secret if peer.spec.tls.secret is None else peer.spec.tls.secret.name
    roots = (await kubectl.secret(name)).get("ca.crt", b"")
    if not roots:
        raise TreadleError(f"Secret {name} has no ca.crt")
    host = f"{names.service}.{peer.meta.namespace}.svc"
    return TLSOptions(root_certificates=roots, server_name=host)


def _manifest(wanted: Push, package: ChaincodePackage) -> str:
    # The hash is the Id that `peer chaincode list --installed` prints (fabric-wire.md §3.3).
    identifier = f"{wanted.name}_{wanted.version}:{package.id.hex()}"
    resource = f"{slug(wanted.name)}-{wanted.version.lower()}"
    body = {
        "apiVersion": VERSION,
        "kind": "ChaincodePackage",
        "metadata": {"name": resource},
        "spec": {
            "name": wanted.name,
            "version": wanted.version,
            "language": wanted.language,
            "source": {"installed": {"packageID": identifier}},
            "peers": [{"name": name} for name in wanted.peers],
        },
    }
    return yaml.safe_dump(body, sort_keys=False)
