"""The peer's configuration as plain values. Times are seconds, paths absolute."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from treadle_peer.config.containers import ContainersConfig


class ChaincodeMode(Enum):
    """Who owns chaincode processes by default: the peer (net) or the developer (dev)."""

    PRODUCTION = "net"
    DEVELOPMENT = "dev"


class LauncherKind(Enum):
    """Who builds and starts production chaincode: the peer itself as processes or in containers,
    or an operator."""

    PROCESS = "process"
    DOCKER = "docker"
    OPERATOR = "operator"


@dataclass(frozen=True, slots=True, kw_only=True)
class TLSConfig:
    """TLS of one listener. Without files an enabled TLS uses the generated organisation's."""

    enabled: bool = False
    client_auth_required: bool = False
    certificate: Path | None = None
    key: Path | None = None
    root_certificate: Path | None = None
    client_roots: tuple[Path, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class KeepaliveConfig:
    """HTTP/2 pings of the servers (fabric-wire.md §0)."""

    interval: float = 7200.0
    timeout: float = 20.0
    minimum_interval: float = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ListenerLimits:
    """Bounds of the client listener; concurrency 0 means unbounded, as in Fabric."""

    endorser: int = 2500
    deliver: int = 2500
    max_receive_bytes: int = 104857600
    max_send_bytes: int = 104857600


@dataclass(frozen=True, slots=True, kw_only=True)
class ChaincodeConfig:
    """How chaincode runs. ``execute_timeout`` is None (no bound) in development unless set.

    ``tls``: whether 7052 has the chaincode CA's TLS; then what the peer launches dials
    ``launched_listen_address`` instead, which alone demands client certificates. It is told
    ``launched_address``; None: where that listener is bound; port 0: the bound one.
    """

    mode: ChaincodeMode = ChaincodeMode.PRODUCTION
    startup_timeout: float = 300.0
    execute_timeout: float | None = 30.0
    build_timeout: float = 600.0
    total_query_limit: int = 100_000
    tls: bool = True
    launched_listen_address: str = "127.0.0.1:0"
    launched_address: str | None = None
    launcher: LauncherKind = LauncherKind.PROCESS
    allow_development: bool = True
    """Whether an operator may open single chaincodes for development."""
    containers: ContainersConfig | None = None
    """Of the launcher ``docker``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RuntimeConfig:
    """The operator's port. Without files of TLS the peer makes an authority for it."""

    listen_address: str | None = None
    tls: TLSConfig = TLSConfig()
    most_output_bytes: int = 1 << 30


@dataclass(frozen=True, slots=True, kw_only=True)
class OperationsConfig:
    """The operations listener."""

    listen_address: str = "127.0.0.1:9443"
    tls: TLSConfig = TLSConfig()


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderingConfig:
    """Embedded ordering. ``address`` is what channel configurations advertise, None: derived."""

    listen_address: str = "127.0.0.1:7050"
    address: str | None = None
    tls_enabled: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PeerConfig:
    """Everything a peer is told at its start.

    ``msp_folder`` is None for a development network with a generated organisation. ``channel``
    is created at the first start; None creates none. ``organization`` names the local
    organisation's group in channels made by embedded ordering.
    """

    data_folder: Path
    peer_id: str = "peer0"
    network_id: str = "dev"
    listen_address: str = "127.0.0.1:7051"
    address: str = "127.0.0.1:7051"
    chaincode_listen_address: str = "127.0.0.1:7052"
    chaincode_address: str | None = None
    msp_id: str = "Org1MSP"
    msp_folder: Path | None = None
    organization: str = "Org1MSP"
    channel: str | None = "mychannel"
    channel_capability: str = "V1_4_2"
    tls: TLSConfig = TLSConfig()
    authentication_window: float = 900.0
    keepalive: KeepaliveConfig = KeepaliveConfig()
    limits: ListenerLimits = ListenerLimits()
    chaincode: ChaincodeConfig = ChaincodeConfig()
    runtime: RuntimeConfig = RuntimeConfig()
    operations: OperationsConfig = OperationsConfig()
    ordering: OrderingConfig = OrderingConfig()
    history: bool = True
    drain_timeout: float = 10.0
    logging_spec: str = "info"
    unused_keys: tuple[str, ...] = ()
    file: Path | None = None

    @property
    def generated(self) -> bool:
        """Whether the peer makes its own organisation."""
        return self.msp_folder is None
