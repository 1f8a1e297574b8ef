"""The chaincode port: one listener without TLS; with TLS a door, and listeners behind it.

Python's gRPC can only demand client certificates or not ask for them, and who lacks one sees a
failed handshake and no reason. So with TLS the listener that demands them has an address of its
own, which what the peer launches dials directly. The advertised port is a door:

- plaintext goes to a listener that answers with a sentence;
- TLS goes to one that asks for no certificate and answers with a sentence, too;
- but while a chaincode is in development mode, TLS goes to the listener that demands
  certificates: there the holders of the development certificate register.
"""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Callable
from dataclasses import dataclass

from grpc import GenericRpcHandler

from treadle_peer.chaincode import MAX_REFUSED_BYTES, ChaincodeSupport, Doorkeeper
from treadle_peer.chaincode.authority import ChaincodeAuthority
from treadle_peer.config import (
    KeepaliveConfig,
    LauncherKind,
    PeerConfig,
    is_unspecified,
    join_address,
    split_address,
)
from treadle_peer.server.chaincode_grpc import REGISTER_SERVICE, register_handlers
from treadle_peer.server.door import Door, Route
from treadle_peer.server.guard import Guard
from treadle_peer.server.listener import GrpcListener, ListenerOptions
from treadle_peer.server.runtime_grpc import ARTIFACTS_SERVICE, artifacts_handlers
from treadle_peer.server.sniffing import Speech
from treadle_peer.server.tls import TLSMaterial
from treadle_peer.services.artifacts import ArtifactsService
from treadle_peer.services.metrics import Metrics

_SETTING = "peer.chaincodeListenAddress"
_LAUNCHED_SETTING = "treadle.chaincode.launchedListenAddress"
_INSIDE = "127.0.0.1:0"
_KEEPALIVE = KeepaliveConfig()  # Fabric's are fixed for this port (wire §2.5)
_REFUSAL_SECONDS = 15.0
_MAX_STREAMS = 4
_MAX_REFUSALS = 512
_MAX_TRANSFERS = 128


@dataclass(frozen=True, slots=True, kw_only=True)
class PortServices:
    """What the port serves. ``developing()``: whether a chaincode is in development mode.

    ``artifacts`` is for what an operator runs.
    """

    support: ChaincodeSupport
    doorkeeper: Doorkeeper
    developing: Callable[[], bool]
    metrics: Metrics
    artifacts: ArtifactsService | None = None


class ChaincodePort:
    """Binding raises ListenError."""

    def __init__(self, config: PeerConfig, material: TLSMaterial | None) -> None:
        advertised = config.chaincode_listen_address
        self._told = config.chaincode.launched_address
        if material is None:
            self._admitting = _listener(advertised, _SETTING, None)
            self._behind: _BehindDoor | None = None
        else:
            launched = config.chaincode.launched_listen_address
            self._admitting = _listener(
                launched,
                _LAUNCHED_SETTING,
                material,
                uploads=config.chaincode.launcher is LauncherKind.OPERATOR,
            )
            self._behind = _BehindDoor(advertised, material, admitting=self._route)

    def bind(self) -> str:
        """Take the ports; the bound advertised address."""
        own = self._admitting.bind()
        return own if self._behind is None else self._behind.bind()

    @property
    def launched_address(self) -> str | None:
        """What launched processes dial; None: the advertised address, as everybody."""
        if self._behind is None:
            return None
        if self._told is None:
            return self._inside
        host, port = split_address(self._told)
        return join_address(host, port or split_address(self._inside)[1])

    @property
    def _inside(self) -> str:
        """The admitting listener, for this machine."""
        host, port = split_address(self._admitting.address)
        return join_address("127.0.0.1" if is_unspecified(host) else host, port)

    async def start(self, services: PortServices) -> None:
        """Accept streams."""
        listener, behind = self._admitting, self._behind
        guard = Guard(REGISTER_SERVICE, metrics=services.metrics.grpc, streams=listener.streams)
        serve = services.support.serve
        if behind is None:
            listener.add([register_handlers(serve, guard=guard)])
        else:
            listener.add([register_handlers(serve, guard=guard, origin=behind.door.origin)])
        if services.artifacts is not None:
            listener.add([self._artifacts(services.artifacts, services.metrics)])
        await listener.start()
        if behind is not None:
            await behind.start(services)

    async def stop(self, grace: float) -> None:
        """Close everything; running streams have *grace* seconds."""
        await self._admitting.stop(grace)
        if self._behind is not None:
            await self._behind.stop(grace)

    def _artifacts(self, service: ArtifactsService, metrics: Metrics) -> GenericRpcHandler:
        streams = self._admitting.streams
        guard = Guard(
            ARTIFACTS_SERVICE, metrics=metrics.grpc, streams=streams, limit=_MAX_TRANSFERS
        )
        return artifacts_handlers(service, guard=guard)

    def _route(self) -> Route:
        return Route(address=self._inside)


class _BehindDoor:
    """The door, and the listeners that refuse. *admitting* is the route to the one that may."""

    def __init__(
        self, advertised: str, material: TLSMaterial, *, admitting: Callable[[], Route]
    ) -> None:
        self._admitting = admitting
        self._plain = _refusing(None)
        self._unasked = _refusing(dataclasses.replace(material, require_client=False))
        self._developing: Callable[[], bool] = lambda: False
        self.door = Door(address=advertised, setting=_SETTING, choose=self._choose)

    def bind(self) -> str:
        self._plain.bind()
        self._unasked.bind()
        return self.door.bind()

    async def start(self, services: PortServices) -> None:
        self._developing = services.developing
        for listener in (self._plain, self._unasked):
            guard = Guard(
                REGISTER_SERVICE,
                metrics=services.metrics.grpc,
                streams=listener.streams,
                limit=_MAX_REFUSALS,
            )
            serve, origin = services.doorkeeper.serve, self.door.origin
            listener.add([register_handlers(serve, guard=guard, origin=origin)])
            await listener.start()
        await self.door.start()

    async def stop(self, grace: float) -> None:
        await asyncio.gather(self._plain.stop(0), self._unasked.stop(0))
        await self.door.stop(grace)

    def _choose(self, speech: Speech) -> Route | None:
        match speech:
            case Speech.HTTP2:
                return Route(address=self._plain.address, seconds=_REFUSAL_SECONDS)
            case Speech.TLS if self._developing():
                return self._admitting()
            case Speech.TLS:
                return Route(address=self._unasked.address, seconds=_REFUSAL_SECONDS)
        return None


def chaincode_material(config: PeerConfig, authority: ChaincodeAuthority) -> TLSMaterial | None:
    """What the port presents: a certificate of the chaincode CA, which alone it trusts."""
    if not config.chaincode.tls:
        return None
    addresses = [
        config.chaincode_address or "",
        config.chaincode_listen_address,
        config.chaincode.launched_listen_address,
        config.chaincode.launched_address or "",
        config.address,
    ]
    hosts = [split_address(address)[0] for address in addresses if address]
    names = [host for host in hosts if not is_unspecified(host)]
    issued = authority.server_certificate(
        tuple(dict.fromkeys([*names, "localhost", "127.0.0.1", "::1"]))
    )
    return TLSMaterial(
        certificate=issued.certificate_pem,
        key=issued.key_pem,
        client_roots=authority.certificate_pem,
        require_client=True,
    )


def _listener(
    address: str, setting: str, tls: TLSMaterial | None, *, uploads: bool = False
) -> GrpcListener:
    return GrpcListener(
        ListenerOptions(
            address=address,
            setting=setting,
            tls=tls,
            keepalive=_KEEPALIVE,
            small_windows=uploads,
        )
    )


def _refusing(tls: TLSMaterial | None) -> GrpcListener:
    return GrpcListener(
        ListenerOptions(
            address=_INSIDE,
            setting=_SETTING,
            tls=tls,
            keepalive=_KEEPALIVE,
            max_receive_bytes=MAX_REFUSED_BYTES,
            max_streams=_MAX_STREAMS,
        )
    )
