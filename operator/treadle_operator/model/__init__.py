"""Custom resources as Python values: plain dicts in, frozen dataclasses out. Pure.

What the API server stores has its defaults filled in; what a version of the schema lacks, or lets
through, raises InvalidObject with the field and a sentence.
"""

from treadle_operator.model.access import at, integer_at, items_at, mapping_at, text_at
from treadle_operator.model.common import (
    GROUP,
    MANAGER,
    PEER_LABEL,
    VERSION,
    Key,
    Kind,
    Manifest,
    Meta,
    Mode,
    Ref,
    parse_meta,
)
from treadle_operator.model.peer import (
    ChaincodeSettings,
    ChannelSpec,
    DeletionPolicy,
    ExternalAddress,
    ExternalOrdering,
    GivenIdentity,
    Peer,
    PeerSpec,
    PodSettings,
    StorageSpec,
    TLSSpec,
    parse_peer,
)

__all__ = [
    "GROUP",
    "MANAGER",
    "PEER_LABEL",
    "VERSION",
    "ChaincodeSettings",
    "ChannelSpec",
    "DeletionPolicy",
    "ExternalAddress",
    "ExternalOrdering",
    "GivenIdentity",
    "Key",
    "Kind",
    "Manifest",
    "Meta",
    "Mode",
    "Peer",
    "PeerSpec",
    "PodSettings",
    "Ref",
    "StorageSpec",
    "TLSSpec",
    "at",
    "integer_at",
    "items_at",
    "mapping_at",
    "parse_meta",
    "parse_peer",
    "text_at",
]
