"""A gRPC server that answers exactly what a test tells it: the network edge, not Fabric."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from dataclasses import dataclass, field

import grpc
import grpc.aio
import pytest
from fabric_protos.common.common_pb2 import Envelope
from fabric_protos.orderer.ab_pb2 import BroadcastResponse
from fabric_protos.orderer.ab_pb2 import DeliverResponse as OrdererDeliverResponse
from fabric_protos.peer.events_pb2 import DeliverResponse
from fabric_protos.peer.proposal_pb2 import SignedProposal
from fabric_protos.peer.proposal_response_pb2 import ProposalResponse
from google.protobuf.message import Message

Answers = list["Message | None"]


@dataclass
class Edge:
    """What the server does. In streams None ends the stream; after the answers it hangs."""

    address: str = ""
    endorse: Callable[[SignedProposal], Awaitable[ProposalResponse]] | None = None
    filtered: Answers = field(default_factory=list)
    blocks: Answers = field(default_factory=list)
    broadcast: Answers = field(default_factory=list)
    received: list[Envelope] = field(default_factory=list)


def _stream(edge: Edge, answers: Callable[[], Answers]) -> Callable[..., AsyncIterator[Message]]:
    async def handle(
        requests: AsyncIterator[Envelope], context: grpc.aio.ServicerContext[Envelope, Message]
    ) -> AsyncIterator[Message]:
        edge.received.append(await anext(requests))
        for answer in list(answers()):
            if answer is None:
                return
            yield answer
        await asyncio.Event().wait()

    return handle


def _handlers(edge: Edge) -> Iterable[grpc.GenericRpcHandler]:
    async def endorse(
        request: SignedProposal, context: grpc.aio.ServicerContext[SignedProposal, ProposalResponse]
    ) -> ProposalResponse:
        if edge.endorse is None:
            await context.abort(grpc.StatusCode.UNKNOWN, "access denied")
        assert edge.endorse is not None
        return await edge.endorse(request)

    def streams(
        handler: Callable[..., AsyncIterator[Message]], kind: type[Message]
    ) -> grpc.RpcMethodHandler[Envelope, Message]:
        return grpc.stream_stream_rpc_method_handler(
            handler, Envelope.FromString, lambda message: message.SerializeToString()
        )

    unary = grpc.unary_unary_rpc_method_handler(
        endorse, SignedProposal.FromString, lambda message: message.SerializeToString()
    )
    yield grpc.method_handlers_generic_handler("protos.Endorser", {"ProcessProposal": unary})
    deliver = {
        "DeliverFiltered": streams(_stream(edge, lambda: edge.filtered), DeliverResponse),
        "Deliver": streams(_stream(edge, lambda: edge.blocks), DeliverResponse),
    }
    yield grpc.method_handlers_generic_handler("protos.Deliver", deliver)
    orderer = {
        "Broadcast": streams(_stream(edge, lambda: edge.broadcast), BroadcastResponse),
        "Deliver": streams(_stream(edge, lambda: edge.blocks), OrdererDeliverResponse),
    }
    yield grpc.method_handlers_generic_handler("orderer.AtomicBroadcast", orderer)


@pytest.fixture
async def edge() -> AsyncIterator[Edge]:
    """A running server on a free loopback port."""
    edge = Edge()
    server = grpc.aio.server()
    server.add_generic_rpc_handlers(tuple(_handlers(edge)))
    edge.address = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    await server.start()
    yield edge
    await server.stop(None)
