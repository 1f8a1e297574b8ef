"""Deliver of peers (``protos.Deliver``) and AtomicBroadcast of orderers over gRPC."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any

import grpc
import grpc.aio
from fabric_protos.common.common_pb2 import Envelope, Status
from fabric_protos.orderer.ab_pb2 import BroadcastResponse

from treadle_peer.server.guard import Guard
from treadle_peer.server.tls import certificate_hash
from treadle_peer.services.broadcast import BroadcastService
from treadle_peer.services.deliver import ClientInfo, Content, DeliverService

PEER_SERVICE = "protos.Deliver"
ORDERER_SERVICE = "orderer.AtomicBroadcast"

Methods = dict[str, "grpc.RpcMethodHandler[Any, Any]"]

_METHODS = {
    "Deliver": Content.BLOCK,
    "DeliverFiltered": Content.FILTERED,
    "DeliverWithPrivateData": Content.PRIVATE,
}


def peer_deliver_handlers(
    service: DeliverService, *, guard: Guard, mutual_tls: bool
) -> grpc.GenericRpcHandler:
    """The three Deliver methods of a peer."""
    methods = {
        name: _deliver_method(name, service, content=content, guard=guard, mutual_tls=mutual_tls)
        for name, content in _METHODS.items()
    }
    return grpc.method_handlers_generic_handler(PEER_SERVICE, methods)


def orderer_handlers(
    broadcast: BroadcastService, deliver: DeliverService, *, guard: Guard, mutual_tls: bool
) -> grpc.GenericRpcHandler:
    """Broadcast and Deliver of an orderer."""

    async def serve(
        _: AsyncIterator[Envelope],
        context: grpc.aio.ServicerContext[Envelope, BroadcastResponse],
    ) -> AsyncIterator[BroadcastResponse]:
        async for response in broadcast.serve(_received(context)):
            if response.status == Status.SUCCESS:
                guard.proven()
            yield response

    methods: Methods = {
        "Broadcast": grpc.stream_stream_rpc_method_handler(
            guard.stream("Broadcast", serve),
            request_deserializer=Envelope.FromString,
            response_serializer=BroadcastResponse.SerializeToString,
        ),
        "Deliver": _deliver_method(
            "Deliver", deliver, content=Content.BLOCK, guard=guard, mutual_tls=mutual_tls
        ),
    }
    return grpc.method_handlers_generic_handler(ORDERER_SERVICE, methods)


async def _received(
    context: grpc.aio.ServicerContext[Envelope, BroadcastResponse],
) -> AsyncIterator[Envelope]:
    """The requests of a stream; unlike gRPC's own iterator it does not keep the last one."""
    while isinstance(message := await context.read(), Envelope):
        yield message
        del message


def _deliver_method(
    name: str, service: DeliverService, *, content: Content, guard: Guard, mutual_tls: bool
) -> grpc.RpcMethodHandler[Envelope, bytes]:
    async def serve(
        requests: AsyncIterator[Envelope], context: grpc.aio.ServicerContext[Envelope, bytes]
    ) -> AsyncIterator[bytes]:
        client = _client(context, mutual_tls=mutual_tls, admitted=guard.proven)
        async for response in service.serve(requests, content=content, client=client):
            yield response
            del response  # a large one must not wait for the next

    return grpc.stream_stream_rpc_method_handler(
        guard.stream(name, serve),
        request_deserializer=Envelope.FromString,
        response_serializer=None,  # the service gives marshalled responses
    )


def _client(
    context: grpc.aio.ServicerContext[Envelope, bytes],
    *,
    mutual_tls: bool,
    admitted: Callable[[], None],
) -> ClientInfo:
    """Who calls. Under mutual TLS requests must name the certificate they came with."""
    address = context.peer()
    if not mutual_tls:
        return ClientInfo(address=address, admitted=admitted)
    certificates = context.auth_context().get("x509_pem_cert") or []
    return ClientInfo(
        address=address,
        certificate_hash=certificate_hash(next(iter(certificates))) if certificates else b"",
        admitted=admitted,
    )
