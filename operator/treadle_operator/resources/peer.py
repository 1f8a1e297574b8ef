"""Everything that a Peer owns, and where it is reached. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from treadle_operator.model import Manifest, Peer
from treadle_operator.names import PeerNames, peer_names
from treadle_operator.resources import ports
from treadle_operator.resources.config import config_map
from treadle_operator.resources.images import Images
from treadle_operator.resources.metadata import child
from treadle_operator.resources.msp import MSPFiles
from treadle_operator.resources.network import network_policy
from treadle_operator.resources.services import (
    client_service,
    external_service,
    internal_service,
)
from treadle_operator.resources.statefulset import StartedWith, statefulset


@dataclass(frozen=True, slots=True, kw_only=True)
class PeerSecrets:
    """Secrets that the pod mounts; ``fingerprint`` changes with their content.

    ``tls`` and ``runtime`` are None for a peer without TLS, to which no operator connects.
    """

    msp: str
    msp_files: MSPFiles
    tls: str | None
    runtime: str | None
    fingerprint: str


def peer_children(
    peer: Peer, *, images: Images, secrets: PeerSecrets, claim_size: str | None = None
) -> list[Manifest]:
    """The manifests, in the order in which they are applied.

    ``claim_size`` is the size that a StatefulSet was made with: it cannot be changed there, the
    volume claim itself grows.
    """
    names = peer_names(peer.meta.name, peer.spec.msp_id)
    configuration = config_map(peer, names)
    started = StartedWith(
        image=peer.spec.pod.image or images.peer,
        msp=secrets.msp,
        msp_files=secrets.msp_files,
        tls=secrets.tls,
        runtime=secrets.runtime,
        fingerprint=secrets.fingerprint,
        configuration=configuration,
        claim_size=claim_size or peer.spec.storage.size,
    )
    found = [
        _service_account(peer, names),
        configuration,
        network_policy(peer, names),
        client_service(peer, names),
        internal_service(peer, names),
        external_service(peer, names),
        statefulset(peer, names, started),
    ]
    return [manifest for manifest in found if manifest is not None]


def peer_endpoints(peer: Peer) -> dict[str, object]:
    """``status.endpoints``: host:port by who dials it."""
    names = peer_names(peer.meta.name, peer.spec.msp_id)
    namespace = peer.meta.namespace
    found = {
        "peer": f"{names.service}.{namespace}.svc:{ports.PEER}",
        "operations": f"{names.service}.{namespace}.svc:{ports.OPERATIONS}",
    }
    if peer.spec.ordering is None:
        found["ordering"] = f"{names.service}.{namespace}.svc:{ports.ORDERING}"
    if peer.spec.tls.enabled:
        found["chaincode"] = f"{names.internal}.{namespace}.svc:{ports.CHAINCODE}"
    if peer.spec.external is not None:
        found["external"] = f"{peer.spec.external.host}:{peer.spec.external.port}"
    return dict(found)


def _service_account(peer: Peer, names: PeerNames) -> Manifest:
    manifest = child(peer, api_version="v1", kind="ServiceAccount", name=names.service_account)
    return {**manifest, "automountServiceAccountToken": False}
