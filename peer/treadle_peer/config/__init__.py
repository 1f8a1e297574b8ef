"""The peer's configuration: core.yaml and ``CORE_*`` as in Fabric, to frozen values.

``load_config`` is the entry; every failure is a ConfigurationError of one line.
"""

from treadle_peer.config.containers import ContainersConfig, EngineFiles
from treadle_peer.config.endpoint import (
    EndpointError,
    chaincode_endpoint,
    is_unspecified,
    join_address,
    split_address,
)
from treadle_peer.config.errors import ConfigurationError
from treadle_peer.config.load import load_config
from treadle_peer.config.logspec import LogSpec, parse_logging_spec
from treadle_peer.config.model import (
    ChaincodeConfig,
    ChaincodeMode,
    KeepaliveConfig,
    LauncherKind,
    ListenerLimits,
    OperationsConfig,
    OrderingConfig,
    PeerConfig,
    RuntimeConfig,
    TLSConfig,
)

__all__ = [
    "ChaincodeConfig",
    "ChaincodeMode",
    "ConfigurationError",
    "ContainersConfig",
    "EndpointError",
    "EngineFiles",
    "KeepaliveConfig",
    "LauncherKind",
    "ListenerLimits",
    "LogSpec",
    "OperationsConfig",
    "OrderingConfig",
    "PeerConfig",
    "RuntimeConfig",
    "TLSConfig",
    "chaincode_endpoint",
    "is_unspecified",
    "join_address",
    "load_config",
    "parse_logging_spec",
    "split_address",
]
