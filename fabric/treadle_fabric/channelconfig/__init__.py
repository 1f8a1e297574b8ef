"""Channel configuration: reading it, making it, changing it (fabric-wire.md §5.10).

``Bundle`` is a configuration ready for use. All functions are pure.
"""

from treadle_fabric.channelconfig.bundle import (
    Bundle,
    read_config_block,
    read_config_envelope,
)
from treadle_fabric.channelconfig.capabilities import (
    Capabilities,
    ChannelCapabilities,
    OrdererCapabilities,
)
from treadle_fabric.channelconfig.compute import compute_update
from treadle_fabric.channelconfig.creation import (
    SystemChannel,
    config_from_creation,
    creation_update,
    propose_creation,
    system_channel,
)
from treadle_fabric.channelconfig.errors import ConfigError
from treadle_fabric.channelconfig.genesis import (
    V1_4_2,
    V2_0,
    V2_5,
    BatchOptions,
    OrganizationDefinition,
    block_of_config,
    genesis_block,
    organization_group,
)
from treadle_fabric.channelconfig.groups import ApplicationConfig, OrdererConfig, Org
from treadle_fabric.channelconfig.names import check_channel_id
from treadle_fabric.channelconfig.signing import sign_update, update_transaction
from treadle_fabric.channelconfig.updates import (
    propose_update,
    read_update,
    read_update_envelope,
    validate_config,
)

__all__ = [
    "V1_4_2",
    "V2_0",
    "V2_5",
    "ApplicationConfig",
    "BatchOptions",
    "Bundle",
    "Capabilities",
    "ChannelCapabilities",
    "ConfigError",
    "OrdererCapabilities",
    "OrdererConfig",
    "Org",
    "OrganizationDefinition",
    "SystemChannel",
    "block_of_config",
    "check_channel_id",
    "compute_update",
    "config_from_creation",
    "creation_update",
    "genesis_block",
    "organization_group",
    "propose_creation",
    "propose_update",
    "read_config_block",
    "read_config_envelope",
    "read_update",
    "read_update_envelope",
    "sign_update",
    "system_channel",
    "update_transaction",
    "validate_config",
]
