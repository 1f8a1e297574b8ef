"""Names of groups, values and policies in a channel's configuration (fabric-wire.md §5.10)."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final, TypeVar

from fabric_protos.common.configtx_pb2 import ConfigGroup
from google.protobuf.message import Message

from treadle_fabric.channelconfig.errors import ConfigError
from treadle_fabric.wire import WireError, parse_bare

CHANNEL: Final = "Channel"
APPLICATION: Final = "Application"
ORDERER: Final = "Orderer"
CONSORTIUMS: Final = "Consortiums"

HASHING_ALGORITHM: Final = "HashingAlgorithm"
BLOCK_DATA_HASHING: Final = "BlockDataHashingStructure"
ORDERER_ADDRESSES: Final = "OrdererAddresses"
CONSORTIUM: Final = "Consortium"
CAPABILITIES: Final = "Capabilities"
ACLS: Final = "ACLs"
MSP_VALUE: Final = "MSP"
ANCHOR_PEERS: Final = "AnchorPeers"
ENDPOINTS: Final = "Endpoints"
CONSENSUS_TYPE: Final = "ConsensusType"
BATCH_SIZE: Final = "BatchSize"
BATCH_TIMEOUT: Final = "BatchTimeout"
CHANNEL_RESTRICTIONS: Final = "ChannelRestrictions"
KAFKA_BROKERS: Final = "KafkaBrokers"
CHANNEL_CREATION_POLICY: Final = "ChannelCreationPolicy"

READERS: Final = "Readers"
WRITERS: Final = "Writers"
ADMINS: Final = "Admins"
ENDORSEMENT: Final = "Endorsement"
LIFECYCLE_ENDORSEMENT: Final = "LifecycleEndorsement"
BLOCK_VALIDATION: Final = "BlockValidation"

_M = TypeVar("_M", bound=Message)


def check_keys(group: ConfigGroup, allowed: Collection[str]) -> None:
    """Raise ConfigError ``Unexpected key ...`` for a value that *group* may not hold."""
    for key in sorted(group.values):
        if key not in allowed:
            raise ConfigError(f"failed to deserialize values: Unexpected key {key}")


def get_value(group: ConfigGroup, key: str, kind: type[_M]) -> _M:
    """The value *key* of *group*; an absent one reads as the empty message."""
    if key not in group.values:
        return kind()
    try:
        return parse_bare(kind, group.values[key].value)
    except WireError as error:
        raise ConfigError(f"failed to deserialize values: {error}") from error
