"""The chaincode side of a peer, put together: packages, authority, launcher, support."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial

from treadle_peer.chaincode import (
    AdmissionRules,
    ChaincodeSupport,
    Doorkeeper,
    Mode,
    Modes,
    Observer,
    SupportConfig,
)
from treadle_peer.chaincode.authority import ChaincodeAuthority
from treadle_peer.chaincode.launch import LaunchSettings, PeerLauncher, ProcessLauncher
from treadle_peer.chaincode.launch.admission import at_the_door
from treadle_peer.chaincode.launch.containers import ContainerLauncher, EngineMissingError
from treadle_peer.chaincode.packages import FilePackageStore
from treadle_peer.chaincode.runtimes import OperatorLauncher
from treadle_peer.channels import Channels, defined, is_defined
from treadle_peer.config import (
    ChaincodeMode,
    ConfigurationError,
    LauncherKind,
    PeerConfig,
)
from treadle_peer.execution import ChaincodeInvoker, PackageError
from treadle_peer.main.bridges import ServerBridges
from treadle_peer.main.chaincode_port import PortServices
from treadle_peer.main.developing import StartLines, Told, development_rule, told_by
from treadle_peer.main.folders import DataFolders
from treadle_peer.main.operated import MOST_INSTANCES, OperatorSide, build_operator_side
from treadle_peer.services.metrics import Metrics

_STOP_GRACE = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoints:
    """What chaincode dials: what a user starts, and what the peer launches."""

    advertised: str
    launched: str


@dataclass(slots=True, kw_only=True)
class Chaincodes:
    """Everything about chaincode processes. ``doorkeeper`` serves who cannot be admitted.

    ``operator`` is there when not the peer itself starts them.
    """

    config: PeerConfig
    packages: FilePackageStore
    authority: ChaincodeAuthority
    launcher: PeerLauncher | OperatorLauncher
    operator: OperatorSide | None
    modes: Modes
    support: ChaincodeSupport
    doorkeeper: Doorkeeper
    start_lines: StartLines

    def port_services(self, metrics: Metrics) -> PortServices:
        """What the chaincode port serves."""
        return PortServices(
            support=self.support,
            doorkeeper=self.doorkeeper,
            developing=lambda: self.modes.development_anywhere,
            metrics=metrics,
            artifacts=None if self.operator is None else self.operator.artifacts,
        )

    def runtimes(self) -> Sequence[Mapping[str, object]]:
        """The active registry, ready for JSON."""
        return [
            {**asdict(row), "state": row.state.value, "since": row.since.isoformat()}
            for row in self.support.status()
        ]


def build_chaincodes(
    config: PeerConfig,
    *,
    folders: DataFolders,
    channels: Channels,
    packages: FilePackageStore,
    authority: ChaincodeAuthority,
    endpoints: Endpoints,
    invoker: Callable[[], ChaincodeInvoker],
    observer: Observer,
) -> Chaincodes:
    """Wire launcher and support, which know each other."""
    holder: list[ChaincodeSupport] = []
    modes = Modes(_mode(config))
    start_lines = StartLines(
        packages=packages,
        authority=authority,
        address=endpoints.advertised,
        tls=config.chaincode.tls,
    )
    launcher, operator = _launcher(
        config,
        folders=folders,
        channels=channels,
        packages=packages,
        authority=authority,
        endpoints=endpoints,
        support=lambda: holder[0],
    )
    rules = _rules(
        config, channels=channels, packages=packages, authority=authority, operator=operator
    )
    told = told_by(start_lines, operator)
    support = ChaincodeSupport(
        config=_support_config(config, told),
        modes=modes,
        rules=rules,
        invoker=invoker,
        launcher=launcher,
        observer=observer,
    )
    holder.append(support)
    if operator is not None:
        operator.developments.take_up()
    return Chaincodes(
        config=config,
        packages=packages,
        authority=authority,
        launcher=launcher,
        operator=operator,
        modes=modes,
        support=support,
        doorkeeper=Doorkeeper(_refusal(modes, told), refused=rules.refused),
        start_lines=start_lines,
    )


def _launcher(
    config: PeerConfig,
    *,
    folders: DataFolders,
    channels: Channels,
    packages: FilePackageStore,
    authority: ChaincodeAuthority,
    endpoints: Endpoints,
    support: Callable[[], ChaincodeSupport],
) -> tuple[PeerLauncher | OperatorLauncher, OperatorSide | None]:
    """Who builds and starts chaincode: this peer, or an operator. Raises ConfigurationError."""
    if config.chaincode.launcher is LauncherKind.OPERATOR:
        operator = build_operator_side(
            config,
            folders=folders,
            channels=channels,
            packages=packages,
            authority=authority,
            peer_address=endpoints.launched,
            development_address=endpoints.advertised,
            support=support,
        )
        return operator.launcher, operator
    settings = _launch_settings(config, folders)
    make: Callable[..., PeerLauncher] = partial(ProcessLauncher, settings=settings)
    if config.chaincode.containers is not None:
        make = partial(ContainerLauncher, settings=settings, containers=config.chaincode.containers)
    try:
        launcher = make(
            packages=packages,
            authority=authority,
            bridges=ServerBridges(support),
            endpoint=lambda: endpoints.launched,
            needed=lambda: defined(channels),
            on_exit=lambda end: support().runtime_exited(end.ccid, end.sentence),
        )
    except EngineMissingError as error:
        remedy = "it needs the Python package docker: pip install 'treadle[docker]'"
        raise ConfigurationError("treadle.chaincode.launcher", "docker", remedy) from error
    return launcher, None


def _rules(
    config: PeerConfig,
    *,
    channels: Channels,
    packages: FilePackageStore,
    authority: ChaincodeAuthority,
    operator: OperatorSide | None,
) -> AdmissionRules:
    rules = AdmissionRules(
        is_known=lambda ccid: _is_known(ccid, packages=packages, channels=channels),
        admit_developer=development_rule(config, authority),
        install_timeout=config.chaincode.startup_timeout,
    )
    if operator is None:
        return rules
    return replace(
        rules,
        changed=operator.required.connected,
        developed=operator.developments.connected,
        developer_until=operator.developments.ends_at,
        refused=operator.required.refusals.count,
        is_leaving=operator.launcher.is_leaving,
        max_instances=MOST_INSTANCES,
    )


def _launch_settings(config: PeerConfig, folders: DataFolders) -> LaunchSettings:
    return LaunchSettings(
        folder=folders.launches,
        msp_id=config.msp_id,
        tls=config.chaincode.tls,
        build_timeout=config.chaincode.build_timeout,
        startup_timeout=config.chaincode.startup_timeout,
        stop_grace=_STOP_GRACE,
    )


def _mode(config: PeerConfig) -> Mode:
    development = config.chaincode.mode is ChaincodeMode.DEVELOPMENT
    return Mode.DEVELOPMENT if development else Mode.PRODUCTION


def _support_config(config: PeerConfig, told: Told) -> SupportConfig:
    chaincode = config.chaincode
    development = chaincode.mode is ChaincodeMode.DEVELOPMENT
    return SupportConfig(
        startup_timeout=chaincode.startup_timeout,
        execute_timeout=chaincode.execute_timeout,
        development_execute_timeout=chaincode.execute_timeout if development else None,
        total_query_limit=chaincode.total_query_limit,
        max_calls=calls_of_one(config.limits.endorser),
        set_timeout=told.timeout,
        start_line=told.line,
    )


def calls_of_one(proposals: int) -> int:
    """Of all *proposals* at once; so one chaincode that hangs leaves a fifth to the others.

    0 is no bound, here as there.
    """
    return max(1, proposals * 4 // 5) if proposals else 0


def _is_known(ccid: str, *, packages: FilePackageStore, channels: Channels) -> bool:
    """Installed, or defined on a channel."""
    name, _, version = ccid.partition(":")
    with contextlib.suppress(PackageError):
        packages.get(name, version)
        return True
    return is_defined(channels, ccid)


def _refusal(modes: Modes, told: Told) -> Callable[[str], str]:
    """What the door of a chaincode port with TLS answers."""

    def sentence(ccid: str) -> str:
        if modes.of(ccid) is Mode.PRODUCTION:
            return at_the_door(ccid)
        return (
            f"chaincode {ccid} came without the development certificate, and the chaincode port "
            f"has TLS; start yours with: {told.line(ccid)}"
        )

    return sentence
