"""From settings to PeerConfig: Fabric's defaults with core.yaml, a development network without."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from treadle_fabric.channelconfig import ConfigError, check_channel_id
from treadle_fabric.channelconfig.names import check_config_id

from treadle_peer.config.containers import load_containers
from treadle_peer.config.endpoint import is_unspecified, join_address, split_address
from treadle_peer.config.errors import ConfigurationError
from treadle_peer.config.logspec import DEFAULT_SPEC, parse_logging_spec
from treadle_peer.config.model import (
    ChaincodeConfig,
    ChaincodeMode,
    KeepaliveConfig,
    LauncherKind,
    ListenerLimits,
    OperationsConfig,
    OrderingConfig,
    PeerConfig,
    TLSConfig,
)
from treadle_peer.config.runtime import launched_address, launcher_kind, load_runtime
from treadle_peer.config.settings import Settings
from treadle_peer.config.source import read_source

_CAPABILITIES = ("V1_4_2", "V2_0", "V2_5")
_NAMES = "use letters, digits, dots and dashes"
_SMALLEST_EXECUTE_TIMEOUT = 1.0
_DEFAULT_EXECUTE_TIMEOUT = 30.0
_SMALLEST_STARTUP_TIMEOUT = 5.0


@dataclass(frozen=True, slots=True)
class _Addresses:
    listen: str
    advertised: str
    chaincode_listen: str


def load_config(
    environment: Mapping[str, str], *, working_folder: Path, development: bool = False
) -> PeerConfig:
    """Read the configuration of ``peer node start``.

    *development* is the flag ``--peer-chaincodedev``; it wins over ``chaincode.mode``. Raises
    ConfigurationError, one line, for anything wrong.
    """
    source = read_source(environment, working_folder)
    settings = Settings(source)
    _refuse_unsupported(settings)
    data_folder = _data_folder(settings, working_folder)
    msp_folder = _msp_folder(settings, data_folder)
    msp_id = settings.text("peer.localMspId", "Org1MSP")
    addresses = _addresses(settings, from_file=source.file is not None)
    tls = _tls(settings, "peer.tls", generated=msp_folder is None)
    chaincode = _chaincode(settings, peer_tls=tls.enabled, development=development)
    return PeerConfig(
        data_folder=data_folder,
        peer_id=settings.text("peer.id", "peer0"),
        network_id=settings.text("peer.networkId", "dev"),
        listen_address=addresses.listen,
        address=addresses.advertised,
        chaincode_listen_address=addresses.chaincode_listen,
        chaincode_address=_optional_address(settings, "peer.chaincodeAddress"),
        msp_id=msp_id,
        msp_folder=msp_folder,
        organization=_organization(settings, msp_id),
        channel=_channel(settings, generated=msp_folder is None),
        channel_capability=settings.choice("treadle.channelCapability", "V1_4_2", _CAPABILITIES),
        tls=tls,
        authentication_window=settings.duration("peer.authentication.timewindow", 900.0) or 900.0,
        keepalive=_keepalive(settings),
        limits=_limits(settings),
        chaincode=chaincode,
        runtime=load_runtime(settings, chaincode),
        operations=_operations(settings),
        ordering=_ordering(settings, listen=addresses.listen, peer_tls=tls.enabled),
        history=settings.flag("ledger.history.enableHistoryDatabase", True),
        drain_timeout=settings.duration("treadle.stop.drainTimeout", 10.0),
        logging_spec=_logging_spec(environment),
        unused_keys=source.unused,
        file=source.file,
    )


def _refuse_unsupported(settings: Settings) -> None:
    database = settings.text("ledger.state.stateDatabase", "goleveldb")
    if database == "CouchDB":
        raise settings.wrong(
            "ledger.state.stateDatabase",
            "Treadle keeps state in RocksDB and has no rich queries; write goleveldb",
        )
    if database != "goleveldb":
        raise settings.wrong("ledger.state.stateDatabase", "write goleveldb")
    if settings.text("peer.localMspType", "bccsp") != "bccsp":
        raise settings.wrong("peer.localMspType", "only X.509 is supported; write bccsp")
    if settings.text("peer.BCCSP.Default", "SW").upper() != "SW":
        raise settings.wrong("peer.BCCSP.Default", "keys are read from files; write SW")


def _data_folder(settings: Settings, working_folder: Path) -> Path:
    folder = settings.path("peer.fileSystemPath") or working_folder / "treadle-data"
    if folder.exists() and not folder.is_dir():
        raise ConfigurationError(
            settings.source.names.get("peer.filesystempath", "peer.fileSystemPath"),
            str(folder),
            "it is a file; name a folder, which is made when missing",
        )
    return folder


def _msp_folder(settings: Settings, data_folder: Path) -> Path | None:
    """The given MSP; None generates one.

    A folder inside the data folder is what a development network wrote for its clients: whoever
    exported it in this shell and starts the peer again means the same network.
    """
    folder = settings.path("peer.mspConfigPath")
    if folder is None or folder.resolve().is_relative_to(data_folder.resolve()):
        return None
    if not folder.is_dir():
        raise settings.wrong("peer.mspConfigPath", f"there is no folder {folder}")
    if not settings.given("peer.localMspId"):
        raise ConfigurationError("peer.localMspId", "", f"name the MSP ID of {folder}")
    return folder


def _organization(settings: Settings, msp_id: str) -> str:
    """The organisation's name in channels made here; its MSP ID unless set."""
    name = settings.text("treadle.organization", msp_id)
    try:
        check_config_id(name)
    except ConfigError as error:
        if settings.given("treadle.organization"):
            raise settings.wrong("treadle.organization", f"{error}; {_NAMES}") from error
        remedy = f"{error}; {_NAMES}, or name the organisation in treadle.organization"
        raise settings.wrong("peer.localMspId", remedy) from error
    return name


def _channel(settings: Settings, *, generated: bool) -> str | None:
    name = settings.text("treadle.channel", "mychannel" if generated else "")
    if not name:
        return None
    try:
        check_channel_id(name)
    except ConfigError as error:
        remedy = f"{error}; begin with a small letter, go on with those, digits, dots and dashes"
        raise settings.wrong("treadle.channel", remedy) from error
    return name


def _addresses(settings: Settings, *, from_file: bool) -> _Addresses:
    # Without a core.yaml nobody asked for a public listener: stay on loopback.
    host = "0.0.0.0" if from_file else "127.0.0.1"
    listen = settings.address("peer.listenAddress", f"{host}:7051")
    advertised = settings.address("peer.address", listen)
    peer_host, port = split_address(advertised)
    if is_unspecified(peer_host) or settings.flag("peer.addressAutoDetect", False):
        advertised = join_address(_local_address(), port)
    chaincode = settings.address(
        "peer.chaincodeListenAddress", join_address(split_address(advertised)[0], 7052)
    )
    return _Addresses(listen=listen, advertised=advertised, chaincode_listen=chaincode)


def _local_address() -> str:
    """This machine's address towards others; loopback when it has no route."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # a datagram socket: nothing is sent
        except OSError:
            return "127.0.0.1"
        return str(probe.getsockname()[0])


def _optional_address(settings: Settings, key: str) -> str | None:
    return settings.address(key, "") if settings.given(key) else None


def _tls(settings: Settings, section: str, *, generated: bool) -> TLSConfig:
    """One listener's TLS; files must exist, unless the organisation is generated."""
    enabled = settings.flag(f"{section}.enabled", False)
    required = settings.flag(f"{section}.clientAuthRequired", False)
    roots = settings.paths(f"{section}.clientRootCAs.files")
    config = TLSConfig(
        enabled=enabled,
        client_auth_required=required,
        certificate=settings.path(f"{section}.cert.file"),
        key=settings.path(f"{section}.key.file"),
        root_certificate=settings.path(f"{section}.rootcert.file"),
        client_roots=roots,
    )
    if not enabled:
        return config
    for name, file in (("cert.file", config.certificate), ("key.file", config.key)):
        _require_file(settings, f"{section}.{name}", file, optional=generated)
    for root in roots if required else ():
        _require_file(settings, f"{section}.clientRootCAs.files", root, optional=False)
    if required and not roots and not generated:
        raise ConfigurationError(
            f"{section}.clientRootCAs.files", "", "client certificates need at least one root"
        )
    return config


def _require_file(settings: Settings, key: str, file: Path | None, *, optional: bool) -> None:
    if file is None and optional:
        return
    if file is None:
        raise ConfigurationError(key, "", "TLS is enabled; name a PEM file")
    if not file.is_file():
        name = settings.source.names.get(key.lower(), key)
        raise ConfigurationError(name, str(file), "there is no such file")


def _keepalive(settings: Settings) -> KeepaliveConfig:
    return KeepaliveConfig(
        interval=settings.duration("peer.keepalive.interval", 7200.0),
        timeout=settings.duration("peer.keepalive.timeout", 20.0),
        minimum_interval=settings.duration("peer.keepalive.minInterval", 60.0),
    )


def _limits(settings: Settings) -> ListenerLimits:
    return ListenerLimits(
        endorser=settings.number("peer.limits.concurrency.endorserService", 2500),
        deliver=settings.number("peer.limits.concurrency.deliverService", 2500),
        max_receive_bytes=settings.number("peer.maxRecvMsgSize", 104857600, minimum=1),
        max_send_bytes=settings.number("peer.maxSendMsgSize", 104857600, minimum=1),
    )


def _chaincode(settings: Settings, *, peer_tls: bool, development: bool) -> ChaincodeConfig:
    mode = ChaincodeMode(settings.choice("chaincode.mode", "net", ("net", "dev")))
    if development:
        mode = ChaincodeMode.DEVELOPMENT
    # Fabric's floors (fabric-wire.md §0). A breakpoint must not end a transaction by itself.
    execute: float | None = settings.duration("chaincode.executetimeout", _DEFAULT_EXECUTE_TIMEOUT)
    if execute is not None and execute < _SMALLEST_EXECUTE_TIMEOUT:
        execute = _DEFAULT_EXECUTE_TIMEOUT
    if mode is ChaincodeMode.DEVELOPMENT and not settings.given("chaincode.executetimeout"):
        execute = None
    startup = settings.duration("chaincode.startuptimeout", 300.0)
    default_tls = peer_tls or mode is ChaincodeMode.PRODUCTION
    launcher = launcher_kind(settings)
    launched_listen = settings.address("treadle.chaincode.launchedListenAddress", "127.0.0.1:0")
    told = launched_address(settings)
    tls = settings.flag("treadle.chaincode.tls", default_tls)
    containers = None
    if launcher is LauncherKind.DOCKER:
        containers = load_containers(settings, tls=tls, listen=launched_listen, told=told)
    return ChaincodeConfig(
        mode=mode,
        startup_timeout=max(startup, _SMALLEST_STARTUP_TIMEOUT),
        execute_timeout=execute,
        build_timeout=settings.duration("treadle.chaincode.buildTimeout", 600.0),
        total_query_limit=settings.number("ledger.state.totalQueryLimit", 100_000, minimum=1),
        tls=tls,
        launched_listen_address=launched_listen,
        launched_address=told,
        launcher=launcher,
        allow_development=settings.flag("treadle.chaincode.allowDevelopment", True),
        containers=containers,
    )


def _operations(settings: Settings) -> OperationsConfig:
    return OperationsConfig(
        listen_address=settings.address("operations.listenAddress", "127.0.0.1:9443"),
        tls=_tls(settings, "operations.tls", generated=False),
    )


def _ordering(settings: Settings, *, listen: str, peer_tls: bool) -> OrderingConfig:
    default = join_address(split_address(listen)[0], 7050)
    return OrderingConfig(
        listen_address=settings.address("treadle.ordering.listenAddress", default),
        address=_optional_address(settings, "treadle.ordering.address"),
        tls_enabled=settings.flag("treadle.ordering.tls.enabled", peer_tls),
    )


def _logging_spec(environment: Mapping[str, str]) -> str:
    spec = environment.get("FABRIC_LOGGING_SPEC") or DEFAULT_SPEC
    try:
        parse_logging_spec(spec)
    except ValueError as error:
        raise ConfigurationError(
            "FABRIC_LOGGING_SPEC", spec, f"{error}; write for example info or chaincode=debug:info"
        ) from None
    return spec
