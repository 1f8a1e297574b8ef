"""Manifests of everything that the operator makes, one module per kind of child. Pure."""

from treadle_operator.resources.drift import differs, stamped
from treadle_operator.resources.images import Images
from treadle_operator.resources.metadata import (
    APPLIED,
    FINGERPRINT,
    MSP_ID,
    RETAINED_FOR,
    SERVER_NAMES,
    is_of_peer,
    owner_reference,
    peer_labels,
)
from treadle_operator.resources.msp import MSPFiles, msp_files
from treadle_operator.resources.peer import PeerSecrets, peer_children, peer_endpoints
from treadle_operator.resources.quantities import quantity
from treadle_operator.resources.secrets import (
    organization_metadata,
    owned_metadata,
    secret_data,
    secret_manifest,
    secret_metadata,
)
from treadle_operator.resources.services import server_names

__all__ = [
    "APPLIED",
    "FINGERPRINT",
    "MSP_ID",
    "RETAINED_FOR",
    "SERVER_NAMES",
    "Images",
    "MSPFiles",
    "PeerSecrets",
    "differs",
    "is_of_peer",
    "msp_files",
    "organization_metadata",
    "owned_metadata",
    "owner_reference",
    "peer_children",
    "peer_endpoints",
    "peer_labels",
    "quantity",
    "secret_data",
    "secret_manifest",
    "secret_metadata",
    "server_names",
    "stamped",
]
