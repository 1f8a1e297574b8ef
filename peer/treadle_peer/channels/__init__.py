"""The channels a peer has joined: ledger, current configuration, wake-ups, chaincode definitions.

Read by endorsement and the services; advanced by ``commit`` only.
"""

from treadle_peer.channels.channel import Channel
from treadle_peer.channels.channels import Channels, JoinError
from treadle_peer.channels.defined import defined, is_defined
from treadle_peer.channels.definitions import (
    LEGACY_NAMESPACE,
    LIFECYCLE_NAMESPACE,
    ChaincodeDefinition,
    StateSource,
    collection_key,
    is_collection_key,
    legacy_definition,
)
from treadle_peer.channels.genesis import check_config_block

__all__ = [
    "LEGACY_NAMESPACE",
    "LIFECYCLE_NAMESPACE",
    "ChaincodeDefinition",
    "Channel",
    "Channels",
    "JoinError",
    "StateSource",
    "check_config_block",
    "collection_key",
    "defined",
    "is_collection_key",
    "is_defined",
    "legacy_definition",
]
