"""Labels, annotations and owners of children. Pure."""

from __future__ import annotations

from typing import Final

from treadle_operator.model import (
    GROUP,
    MANAGER,
    PEER_LABEL,
    VERSION,
    Kind,
    Manifest,
    Peer,
    text_at,
)
from treadle_operator.names import organization_name

APPLIED: Final = f"{GROUP}/applied"
"""Annotation: hash of the manifest that was applied last."""
MSP_ID: Final = f"{GROUP}/msp-id"
"""Annotation of volumes and Secrets: the organisation that they belong to."""
FINGERPRINT: Final = f"{GROUP}/fingerprint"
"""Annotation of the pod: hash of the files that it was started with."""
SERVER_NAMES: Final = f"{GROUP}/server-names"
"""Annotation of a generated TLS Secret: the names in its certificate."""
RETAINED_FOR: Final = f"{GROUP}/retained-for"
"""Annotation of an organisation's Secrets: Peers that want them kept."""

ORGANIZATION_LABEL: Final = f"{GROUP}/organization"
_MANAGED_BY: Final = "app.kubernetes.io/managed-by"


def selector_labels(peer: str) -> dict[str, object]:
    """The immutable labels that Services and the StatefulSet select by."""
    return {
        "app.kubernetes.io/name": "treadle-peer",
        "app.kubernetes.io/instance": peer,
        "app.kubernetes.io/component": "peer",
    }


def peer_labels(peer: str) -> dict[str, object]:
    """Labels of everything that belongs to one Peer."""
    return {
        **selector_labels(peer),
        "app.kubernetes.io/part-of": "treadle",
        _MANAGED_BY: MANAGER,
        PEER_LABEL: peer,
    }


def organization_labels(msp_id: str) -> dict[str, object]:
    """Labels of what the Peers of one organisation share."""
    return {
        "app.kubernetes.io/name": "treadle-organization",
        "app.kubernetes.io/part-of": "treadle",
        _MANAGED_BY: MANAGER,
        ORGANIZATION_LABEL: organization_name(msp_id),
    }


def owner_reference(peer: Peer, *, controller: bool = True) -> dict[str, object]:
    """The reference by which garbage collection takes a child with its Peer."""
    reference: dict[str, object] = {
        "apiVersion": VERSION,
        "kind": Kind.PEER.value,
        "name": peer.meta.name,
        "uid": peer.meta.uid,
    }
    if controller:
        reference |= {"controller": True, "blockOwnerDeletion": True}
    return reference


def child(peer: Peer, *, api_version: str, kind: str, name: str) -> Manifest:
    """The beginning of a child's manifest."""
    return {
        "apiVersion": api_version,
        "kind": kind,
        "metadata": {
            "name": name,
            "namespace": peer.meta.namespace,
            "labels": peer_labels(peer.meta.name),
            "ownerReferences": [owner_reference(peer)],
        },
    }


def is_of_peer(live: Manifest, peer: str) -> bool:
    """Whether a stored object says that it was made for the Peer of this name."""
    labels = ("metadata", "labels")
    managed = text_at(live, *labels, _MANAGED_BY) == MANAGER
    return managed and text_at(live, *labels, PEER_LABEL) == peer
