"""Generated Secrets: their manifests, owners, and who wants them kept. Pure."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence

from treadle_operator.model import DeletionPolicy, Manifest, Peer, mapping_at, text_at
from treadle_operator.resources.metadata import (
    MSP_ID,
    RETAINED_FOR,
    organization_labels,
    owner_reference,
    peer_labels,
)


def secret_data(secret: Manifest) -> dict[str, bytes]:
    """What a stored Secret holds; values that are no base64 count as empty."""
    return {key: _decoded(value) for key, value in mapping_at(secret, "data").items()}


def _decoded(value: object) -> bytes:
    try:
        return base64.b64decode(str(value), validate=True)
    except binascii.Error:
        return b""


def secret_manifest(metadata: Manifest, data: Mapping[str, bytes]) -> Manifest:
    """A Secret to create: *metadata* of one of the functions below, and what it holds."""
    encoded = {key: base64.b64encode(value).decode() for key, value in sorted(data.items())}
    kind = "kubernetes.io/tls" if "tls.key" in data else "Opaque"
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": metadata,
        "type": kind,
        "data": encoded,
    }


def secret_metadata(peer: Peer, name: str, annotations: Mapping[str, str]) -> Manifest:
    """Of a Secret for one Peer alone. It goes with the Peer only if the Peer says so."""
    owned = peer.spec.deletion_policy is DeletionPolicy.DELETE
    return {
        "name": name,
        "namespace": peer.meta.namespace,
        "labels": peer_labels(peer.meta.name),
        "annotations": {MSP_ID: peer.spec.msp_id, **annotations},
        "ownerReferences": [owner_reference(peer)] if owned else [],
    }


def owned_metadata(peer: Peer, name: str, annotations: Mapping[str, str]) -> Manifest:
    """Of a Secret that can be made anew at any time: it always goes with its Peer."""
    return {
        "name": name,
        "namespace": peer.meta.namespace,
        "labels": peer_labels(peer.meta.name),
        "annotations": dict(annotations),
        "ownerReferences": [owner_reference(peer)],
    }


def organization_metadata(
    peer: Peer, name: str, *, members: Sequence[Peer], live: Manifest | None
) -> Manifest:
    """Of a Secret that all Peers of an organisation share.

    ``members`` are the present Peers with this generated organisation. It is kept as long as one
    of them, or one that is gone, wanted it kept; otherwise it goes with the last of them.
    """
    kept = set(text_at(live, "metadata", "annotations", RETAINED_FOR).split())
    for member in members:
        if member.spec.deletion_policy is DeletionPolicy.RETAIN:
            kept.add(member.meta.name)
        else:
            kept.discard(member.meta.name)
    owners = [] if kept else sorted(members, key=lambda member: member.meta.name)
    return {
        "name": name,
        "namespace": peer.meta.namespace,
        "labels": organization_labels(peer.spec.msp_id),
        "annotations": {MSP_ID: peer.spec.msp_id, RETAINED_FOR: " ".join(sorted(kept))},
        "ownerReferences": [owner_reference(member, controller=False) for member in owners],
    }
