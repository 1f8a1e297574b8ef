"""A call works on when its client has gone, and counts against the limit until its end."""

from __future__ import annotations

import asyncio

import grpc
import grpc.aio
import pytest
from treadle_peer.config import KeepaliveConfig
from treadle_peer.server.guard import Guard
from treadle_peer.server.listener import GrpcListener, ListenerOptions
from treadle_peer.services.metrics import Metrics

SERVICE = "test.Working"


class Work:
    """A call that takes as long as the test wants."""

    def __init__(self) -> None:
        self.begun = asyncio.Event()
        self.may_end = asyncio.Event()
        self.ended = asyncio.Event()

    async def __call__(
        self, request: bytes, context: grpc.aio.ServicerContext[bytes, bytes]
    ) -> bytes:
        self.begun.set()
        await self.may_end.wait()
        self.ended.set()
        return request


async def test_a_cancelled_call_works_on_and_keeps_its_place() -> None:
    options = ListenerOptions(
        address="127.0.0.1:0", setting="x", tls=None, keepalive=KeepaliveConfig()
    )
    listener, work = GrpcListener(options), Work()
    metrics = Metrics(version="0", heights=dict)
    guard = Guard(SERVICE, metrics=metrics.grpc, streams=listener.streams, limit=1)
    method = grpc.unary_unary_rpc_method_handler(guard.unary("Do", work))
    listener.add([grpc.method_handlers_generic_handler(SERVICE, {"Do": method})])
    address = listener.bind()
    await listener.start()
    try:
        async with asyncio.timeout(20), grpc.aio.insecure_channel(address) as client:
            call = client.unary_unary(f"/{SERVICE}/Do")
            first = call(b"1")
            await work.begun.wait()
            first.cancel()
            with pytest.raises(grpc.aio.AioRpcError, match="exceeding concurrency limit"):
                await call(b"2")
            work.may_end.set()
            await work.ended.wait()
            assert await call(b"3") == b"3"
    finally:
        await listener.stop(0)
