"""What a peer has when an operator runs its chaincodes: launcher, services, the operator's port."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from treadle_fabric.durable import make_folder
from treadle_fabric.identity import CertificateAuthority
from treadle_fabric.identity.files import write_private, write_public

from treadle_peer.chaincode import ChaincodeSupport, StreamPeer
from treadle_peer.chaincode.authority import ChaincodeAuthority
from treadle_peer.chaincode.packages import FilePackageStore
from treadle_peer.chaincode.runtimes import (
    Developments,
    Epochs,
    OperatorLauncher,
    Origin,
    OutputStore,
    Policies,
    RequiredRuntimes,
    RuntimeRecords,
)
from treadle_peer.channels import Channels, defined, is_defined
from treadle_peer.config import KeepaliveConfig, PeerConfig, is_unspecified, split_address
from treadle_peer.execution import PackageError
from treadle_peer.main.folders import DataFolders
from treadle_peer.main.tlsfiles import material_from_files, server_hosts
from treadle_peer.server.guard import Guard
from treadle_peer.server.listener import GrpcListener, ListenerOptions
from treadle_peer.server.runtime_grpc import RUNTIMES_SERVICE, runtimes_handlers
from treadle_peer.server.tls import TLSMaterial
from treadle_peer.services.artifacts import ArtifactsService
from treadle_peer.services.metrics import Metrics
from treadle_peer.services.operators import OPERATOR_UNIT
from treadle_peer.services.runtimes import RuntimesService

MOST_INSTANCES: Final = 64
"""Processes that may share one ccid: pods and their surge."""

_KEEPALIVE: Final = KeepaliveConfig(interval=30.0, minimum_interval=10.0)
_MOST_CALLS: Final = 64
_LARGEST_MESSAGE: Final = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorSide:
    """Everything about runtimes that an operator runs."""

    required: RequiredRuntimes
    developments: Developments
    launcher: OperatorLauncher
    runtimes: RuntimesService
    artifacts: ArtifactsService


def build_operator_side(
    config: PeerConfig,
    *,
    folders: DataFolders,
    channels: Channels,
    packages: FilePackageStore,
    authority: ChaincodeAuthority,
    peer_address: str,
    development_address: str,
    support: Callable[[], ChaincodeSupport],
) -> OperatorSide:
    """Take up what was required before; raises StorageError."""
    records = RuntimeRecords(folders.runtimes)
    required = RequiredRuntimes(
        records=records,
        packages=packages,
        on_failed=lambda ccid, sentence: support().runtime_exited(ccid, sentence),
    )
    outputs = OutputStore(records.folder, most_bytes=config.runtime.most_output_bytes)
    for runtime in required.rows():
        outputs.forget_drafts(runtime.ccid)
    _require_committed(required, channels)
    developments = _developments(
        config, folders=folders, required=required, authority=authority, support=support
    )
    return OperatorSide(
        required=required,
        developments=developments,
        launcher=OperatorLauncher(
            required=required,
            authority=authority,
            committed=lambda ccid: is_defined(channels, ccid),
            build_timeout=config.chaincode.build_timeout,
            startup_timeout=config.chaincode.startup_timeout,
        ),
        runtimes=RuntimesService(
            required=required,
            developments=developments,
            epochs=Epochs(folders.operator / "epochs.json"),
            authority=authority,
            evict=lambda chosen, sentence: support().evict(chosen, sentence),
            peer_address=peer_address,
            development_address=development_address,
            msp_id=config.msp_id,
        ),
        artifacts=ArtifactsService(
            required=required, authority=authority, packages=packages, outputs=outputs
        ),
    )


def _developments(
    config: PeerConfig,
    *,
    folders: DataFolders,
    required: RequiredRuntimes,
    authority: ChaincodeAuthority,
    support: Callable[[], ChaincodeSupport],
) -> Developments:
    """What is open for development; ``take_up`` opens it, once there is a support."""

    def is_retired(_: str, caller: StreamPeer) -> bool:
        issued = authority.lasting(caller.fingerprint or "")
        return issued is not None and issued.retired

    developments = Developments(
        policies=Policies(folders.policies),
        authority=authority,
        allowed=config.chaincode.allow_development,
        set_mode=lambda ccid, mode: support().set_mode(ccid, mode),
        evict_retired=lambda: support().evict(is_retired, "its certificate is retired"),
        changed=required.watchers.development_changed,
    )
    required.watchers.follow(developments)
    return developments


class OperatorPort:
    """The listener for operators. Binding raises ListenError."""

    def __init__(self, config: PeerConfig, folders: DataFolders) -> None:
        """Raises ConfigurationError for files that cannot be read."""
        self._listener = GrpcListener(
            ListenerOptions(
                address=config.runtime.listen_address or "",
                setting="treadle.runtime.listenAddress",
                tls=_material(config, folders),
                keepalive=_KEEPALIVE,
                max_receive_bytes=_LARGEST_MESSAGE,
            )
        )

    def bind(self) -> str:
        """Take the port; the bound address."""
        return self._listener.bind()

    @property
    def address(self) -> str:
        """The bound address."""
        return self._listener.address

    async def start(self, service: RuntimesService, metrics: Metrics) -> None:
        """Accept operators."""
        streams = self._listener.streams
        guard = Guard(RUNTIMES_SERVICE, metrics=metrics.grpc, streams=streams, limit=_MOST_CALLS)
        self._listener.add([runtimes_handlers(service, guard=guard)])
        await self._listener.start()

    async def stop(self, grace: float) -> None:
        """Close it; watches end at once."""
        await self._listener.stop(grace)


def operator_port(config: PeerConfig, folders: DataFolders) -> OperatorPort | None:
    """The port where an operator connects; None when none is to."""
    return None if config.runtime.listen_address is None else OperatorPort(config, folders)


def _require_committed(required: RequiredRuntimes, channels: Channels) -> None:
    """What channels define and this peer has installed; released runtimes stay released."""
    for ccid in defined(channels):
        if required.get(ccid) is None:
            try:
                required.require(ccid, Origin.COMMITTED)
            except PackageError:
                continue  # defined by others, not to be run here


def _material(config: PeerConfig, folders: DataFolders) -> TLSMaterial:
    """Given files, or a certificate of the authority that the peer keeps for this port."""
    if config.runtime.tls.enabled:
        return material_from_files(config.runtime.tls, section="treadle.runtime.tls")
    authority = _authority(folders)
    addresses = (config.runtime.listen_address or "", config.chaincode.launched_address or "")
    hosts = [split_address(address)[0] for address in addresses if address]
    names = [host for host in hosts if not is_unspecified(host)]
    issued = authority.issue(
        common_name=config.peer_id,
        hosts=tuple(dict.fromkeys([*names, *server_hosts(config)])),
        server=True,
    )
    return TLSMaterial(
        certificate=issued.certificate_pem,
        key=issued.key_pem,
        client_roots=authority.certificate_pem,
        require_client=True,
    )


def _authority(folders: DataFolders) -> CertificateAuthority:
    """The authority of this port alone, and an operator's files, made at the first start."""
    folder, client = folders.operator, folders.operator / "client"
    certificate, key = folder / "ca.pem", folder / "ca.key"
    make_folder(folder)
    folder.chmod(0o700)
    if certificate.exists():
        authority = CertificateAuthority.from_pem(certificate.read_bytes(), key.read_bytes())
    else:
        authority = CertificateAuthority.create(
            common_name="operator authority", organization="Treadle runtime"
        )
        write_private(key, authority.key_pem)
        write_public(certificate, authority.certificate_pem)
    if not (client / "ca.crt").exists():
        issued = authority.issue(
            common_name="operator", organizational_units=(OPERATOR_UNIT,), client=True
        )
        write_private(client / "client.key", issued.key_pem)
        write_public(client / "client.crt", issued.certificate_pem)
        write_public(client / "ca.crt", authority.certificate_pem)
    return authority
