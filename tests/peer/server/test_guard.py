"""At the limit, streams that ask for nothing make room for those that do."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import grpc
import grpc.aio
import pytest
from treadle_peer.config import KeepaliveConfig
from treadle_peer.server.guard import Guard
from treadle_peer.server.listener import GrpcListener, ListenerOptions
from treadle_peer.services.metrics import Metrics

SERVICE = "test.Asking"
METHOD = f"/{SERVICE}/Stream"
LIMIT = 3

Stream = grpc.aio.StreamStreamCall[bytes, bytes]
Context = grpc.aio.ServicerContext[bytes, bytes]


@asynccontextmanager
async def serving() -> AsyncIterator[grpc.aio.Channel]:
    """A service that answers every message, and takes ``please`` for a good request."""
    options = ListenerOptions(
        address="127.0.0.1:0", setting="x", tls=None, keepalive=KeepaliveConfig()
    )
    listener = GrpcListener(options)
    metrics = Metrics(version="0", heights=dict)
    guard = Guard(SERVICE, metrics=metrics.grpc, streams=listener.streams, limit=LIMIT)

    async def answer(requests: AsyncIterator[bytes], context: Context) -> AsyncIterator[bytes]:
        yield b"begun"
        async for request in requests:
            if request == b"please":
                guard.proven()
            yield request

    method = grpc.stream_stream_rpc_method_handler(guard.stream("Stream", answer))
    listener.add([grpc.method_handlers_generic_handler(SERVICE, {"Stream": method})])
    address = listener.bind()
    await listener.start()
    try:
        async with grpc.aio.insecure_channel(address) as client:
            yield client
    finally:
        await listener.stop(0)


async def begun(client: grpc.aio.Channel, *said: bytes) -> Stream:
    """A stream that the service serves, and has answered."""
    stream: Stream = client.stream_stream(METHOD)()
    assert await stream.read() == b"begun"
    for message in said:
        await stream.write(message)
        assert await stream.read() == message
    return stream


async def test_the_oldest_stream_that_asked_for_nothing_goes_first() -> None:
    async with asyncio.timeout(20), serving() as client:
        silent, strange, other = await begun(client), await begun(client, b"x"), await begun(client)
        newcomer = await begun(client, b"please")
        assert await silent.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        assert "made room" in (await silent.details() or "")
        newest = await begun(client, b"please")
        assert await strange.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        for alive in (other, newcomer, newest):
            await alive.write(b"still there")
            assert await alive.read() == b"still there"


async def test_streams_with_a_good_request_keep_their_places() -> None:
    async with asyncio.timeout(20), serving() as client:
        proven = [await begun(client, b"please") for _ in range(LIMIT)]
        late = client.stream_stream(METHOD)()
        with pytest.raises(grpc.aio.AioRpcError, match=r"exceeding concurrency limit \(3\)"):
            await late.read()
        for alive in proven:
            await alive.write(b"x")
            assert await alive.read() == b"x"


async def test_places_are_neither_lost_nor_won_by_displacing() -> None:
    async with asyncio.timeout(30), serving() as client:
        for _ in range(20):
            await begun(client)
        proven = [await begun(client, b"please") for _ in range(LIMIT)]
        with pytest.raises(grpc.aio.AioRpcError, match="exceeding concurrency limit"):
            await client.stream_stream(METHOD)().read()
        assert len(proven) == LIMIT
