"""The four listeners of a peer: bound first, given their services later, started last."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from treadle_peer.config import PeerConfig, is_unspecified, join_address, split_address
from treadle_peer.main.chaincode_port import ChaincodePort, PortServices
from treadle_peer.main.operated import OperatorPort
from treadle_peer.main.tlsfiles import material_from_files
from treadle_peer.server.deliver_grpc import (
    ORDERER_SERVICE,
    PEER_SERVICE,
    orderer_handlers,
    peer_deliver_handlers,
)
from treadle_peer.server.endorser_grpc import ENDORSER_SERVICE, endorser_handlers
from treadle_peer.server.guard import Guard
from treadle_peer.server.listener import GrpcListener, ListenerOptions
from treadle_peer.server.operations_http import OperationsListener
from treadle_peer.server.tls import TLSMaterial
from treadle_peer.services.broadcast import BroadcastService
from treadle_peer.services.deliver import DeliverService
from treadle_peer.services.endorser import EndorserService
from treadle_peer.services.metrics import Metrics
from treadle_peer.services.operations import Operations
from treadle_peer.services.runtimes import RuntimesService


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientServices:
    """What 7051 and 7050 serve."""

    endorser: EndorserService
    deliver: DeliverService
    broadcast: BroadcastService
    ordered: DeliverService


class Listeners:
    """The gRPC ports of a peer. Binding raises ListenError."""

    def __init__(
        self,
        config: PeerConfig,
        *,
        clients: TLSMaterial | None,
        chaincodes: TLSMaterial | None,
        operator: OperatorPort | None,
    ) -> None:
        self._config = config
        self._peer_tls = clients if config.tls.enabled else None
        self._ordering_tls = clients if config.ordering.tls_enabled else None
        limits = config.limits
        self._peer = GrpcListener(
            ListenerOptions(
                address=config.listen_address,
                setting="peer.listenAddress",
                tls=self._peer_tls,
                keepalive=config.keepalive,
                max_receive_bytes=limits.max_receive_bytes,
                max_send_bytes=limits.max_send_bytes,
            )
        )
        self._ordering = GrpcListener(
            ListenerOptions(
                address=config.ordering.listen_address,
                setting="treadle.ordering.listenAddress",
                tls=self._ordering_tls,
                keepalive=config.keepalive,
            )
        )
        self._chaincode = ChaincodePort(config, chaincodes)
        self._operator = operator

    def bind(self) -> tuple[str, str, str]:
        """Take the ports; the bound addresses of peer, ordering and chaincode."""
        if self._operator is not None:
            self._operator.bind()
        return self._peer.bind(), self._ordering.bind(), self._chaincode.bind()

    @property
    def launched_address(self) -> str | None:
        """What launched chaincode dials; None: the advertised chaincode address."""
        return self._chaincode.launched_address

    @property
    def operator_address(self) -> str | None:
        """Where an operator connects; None: nowhere."""
        return None if self._operator is None else self._operator.address

    async def start_chaincode(
        self, services: PortServices, runtimes: RuntimesService | None
    ) -> None:
        """Accept chaincode streams, and operators."""
        await self._chaincode.start(services)
        if self._operator is not None and runtimes is not None:
            await self._operator.start(runtimes, services.metrics)

    async def start_clients(self, services: ClientServices, metrics: Metrics) -> None:
        """Accept clients on both ports."""
        limits, streams = self._config.limits, self._peer.streams
        endorser = Guard(
            ENDORSER_SERVICE, metrics=metrics.grpc, streams=streams, limit=limits.endorser
        )
        deliver = Guard(PEER_SERVICE, metrics=metrics.grpc, streams=streams, limit=limits.deliver)
        ordering = Guard(
            ORDERER_SERVICE,
            metrics=metrics.grpc,
            streams=self._ordering.streams,
            limit=limits.deliver,
        )
        self._peer.add(
            [
                endorser_handlers(services.endorser, guard=endorser),
                peer_deliver_handlers(
                    services.deliver, guard=deliver, mutual_tls=_mutual(self._peer_tls)
                ),
            ]
        )
        self._ordering.add(
            [
                orderer_handlers(
                    services.broadcast,
                    services.ordered,
                    guard=ordering,
                    mutual_tls=_mutual(self._ordering_tls),
                )
            ]
        )
        await self._ordering.start()
        await self._peer.start()

    async def stop_clients(self, grace: float) -> None:
        """Refuse new calls; running ones have *grace* seconds."""
        await asyncio.gather(self._peer.stop(grace), self._ordering.stop(grace))

    async def close(self) -> None:
        """Give all ports back at once; for a start that failed."""
        everything = (self._peer, self._ordering)
        await asyncio.gather(
            self._chaincode.stop(0),
            *(one.stop(0) for one in everything),
            *(one.stop(0) for one in self._operators),
        )

    async def stop_operators(self) -> None:
        """Close the operator's port, so that nobody acts on the end of the chaincodes."""
        await asyncio.gather(*(one.stop(1.0) for one in self._operators))

    async def stop_chaincode(self) -> None:
        """Close the chaincode port; its streams were ended before."""
        await self._chaincode.stop(1.0)

    @property
    def _operators(self) -> tuple[OperatorPort, ...]:
        return () if self._operator is None else (self._operator,)


def operations_listener(config: PeerConfig, operations: Operations) -> OperationsListener:
    """The HTTP port."""
    tls = config.operations.tls
    material = material_from_files(tls, section="operations.tls") if tls.enabled else None
    return OperationsListener(operations, address=config.operations.listen_address, tls=material)


def reachable(bound: str, *, peer_host: str) -> str:
    """The address by which a client reaches a listener that may be bound to every interface."""
    host, port = split_address(bound)
    return join_address(peer_host if is_unspecified(host) else host, port)


def _mutual(tls: TLSMaterial | None) -> bool:
    return tls is not None and tls.require_client
