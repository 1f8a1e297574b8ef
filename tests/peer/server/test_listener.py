"""The gRPC shells: limits, sizes, pings, binding, TLS, the end of streams."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import grpc
import grpc.aio
import pytest
from treadle_fabric.identity import CertificateAuthority
from treadle_peer.config import KeepaliveConfig
from treadle_peer.server.guard import Guard
from treadle_peer.server.listener import GrpcListener, ListenerOptions, ListenError
from treadle_peer.server.tls import TLSMaterial, certificate_hash
from treadle_peer.services.metrics import Metrics

SERVICE = "test.Echo"
Context = grpc.aio.ServicerContext[bytes, bytes]


class Echo:
    """A service with one method of each kind; ``gate`` holds unary calls back."""

    def __init__(self) -> None:
        self.metrics = Metrics(version="0", heights=dict)
        self.gate = asyncio.Event()
        self.gate.set()
        self.entered = asyncio.Event()
        self.certificate: bytes | None = None

    def handlers(self, listener: GrpcListener, limit: int = 0) -> grpc.GenericRpcHandler:
        guard = Guard(SERVICE, metrics=self.metrics.grpc, streams=listener.streams, limit=limit)
        return grpc.method_handlers_generic_handler(
            SERVICE,
            {
                "Unary": grpc.unary_unary_rpc_method_handler(guard.unary("Unary", self._unary)),
                "Stream": grpc.stream_stream_rpc_method_handler(
                    guard.stream("Stream", self._stream)
                ),
            },
        )

    async def _unary(self, request: bytes, context: Context) -> bytes:
        self.entered.set()
        pems = context.auth_context().get("x509_pem_cert") or []
        self.certificate = next(iter(pems), None)
        await self.gate.wait()
        return request

    async def _stream(
        self, requests: AsyncIterator[bytes], context: Context
    ) -> AsyncIterator[bytes]:
        async for request in requests:
            yield request
        await asyncio.Event().wait()


def options(address: str = "127.0.0.1:0", tls: TLSMaterial | None = None) -> ListenerOptions:
    return ListenerOptions(
        address=address, setting="peer.listenAddress", tls=tls, keepalive=KeepaliveConfig()
    )


@asynccontextmanager
async def serving(
    echo: Echo, *, limit: int = 0, tls: TLSMaterial | None = None
) -> AsyncIterator[tuple[GrpcListener, str]]:
    listener = GrpcListener(options(tls=tls))
    listener.add([echo.handlers(listener, limit)])
    address = listener.bind()
    await listener.start()
    try:
        yield listener, address
    finally:
        await listener.stop(0)


async def test_calls_beyond_the_limit_get_fabrics_text_and_the_next_one_is_served() -> None:
    echo = Echo()
    echo.gate.clear()
    async with serving(echo, limit=1) as (_, address), grpc.aio.insecure_channel(address) as client:
        unary = client.unary_unary(f"/{SERVICE}/Unary")
        first = asyncio.ensure_future(unary(b"1", timeout=20))
        await asyncio.wait_for(echo.entered.wait(), 10)
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await unary(b"2", timeout=10)
        assert refused.value.code() == grpc.StatusCode.UNKNOWN
        assert refused.value.details() == (
            "too many requests for /test.Echo, exceeding concurrency limit (1)"
        )
        echo.gate.set()
        assert await first == b"1"
        assert await unary(b"3", timeout=10) == b"3"
    text = echo.metrics.render().decode()
    labels = 'service="test_Echo",method="Unary",code="OK"'
    assert f"grpc_server_unary_requests_completed{{{labels}}} 2.0" in text


async def test_large_messages_pass_in_both_directions() -> None:
    async with serving(Echo()) as (_, address):
        unlimited = [
            ("grpc.max_receive_message_length", -1),
            ("grpc.max_send_message_length", -1),
        ]
        async with grpc.aio.insecure_channel(address, options=unlimited) as client:
            large = bytes(20 << 20)
            assert await client.unary_unary(f"/{SERVICE}/Unary")(large, timeout=30) == large


async def test_clients_that_ping_every_ten_milliseconds_are_left_alone() -> None:
    pings = [
        ("grpc.keepalive_time_ms", 10),
        ("grpc.keepalive_permit_without_calls", 1),
        ("grpc.http2.max_pings_without_data", 0),
    ]
    async with (
        serving(Echo()) as (_, address),
        grpc.aio.insecure_channel(address, options=pings) as client,
    ):
        stream = client.stream_stream(f"/{SERVICE}/Stream")()
        for number in range(20):
            await stream.write(b"%d" % number)
            assert await stream.read() == b"%d" % number
            await asyncio.sleep(0.02)
        stream.cancel()


async def test_a_taken_port_is_named_with_its_setting() -> None:
    async with serving(Echo()) as (_, address):
        with pytest.raises(ListenError, match=r"peer\.listenAddress") as refused:
            GrpcListener(options(address)).bind()
        assert address in str(refused.value)


async def test_a_stop_ends_streams_and_lets_calls_finish() -> None:
    echo = Echo()
    echo.gate.clear()
    async with (
        serving(echo) as (listener, address),
        grpc.aio.insecure_channel(address) as client,
    ):
        stream = client.stream_stream(f"/{SERVICE}/Stream")()
        await stream.write(b"x")
        assert await stream.read() == b"x"
        call = asyncio.ensure_future(client.unary_unary(f"/{SERVICE}/Unary")(b"1", timeout=30))
        await asyncio.wait_for(echo.entered.wait(), 10)
        stopping = asyncio.ensure_future(listener.stop(20))
        with pytest.raises(grpc.aio.AioRpcError) as ended:
            await stream.read()
        assert ended.value.code() == grpc.StatusCode.UNAVAILABLE
        assert ended.value.details() == "the peer is stopping"
        assert not stopping.done()
        echo.gate.set()
        assert await call == b"1"
        await asyncio.wait_for(stopping, 10)


async def test_mutual_tls_shows_the_clients_certificate_and_refuses_without() -> None:
    authority = CertificateAuthority.create(common_name="ca", organization="test")
    server = authority.issue(common_name="server", hosts=["127.0.0.1"], server=True)
    client = authority.issue(common_name="client", client=True)
    material = TLSMaterial(
        certificate=server.certificate_pem,
        key=server.key_pem,
        client_roots=authority.certificate_pem,
        require_client=True,
    )
    echo = Echo()
    async with serving(echo, tls=material) as (_, address):
        own = grpc.ssl_channel_credentials(
            authority.certificate_pem, client.key_pem, client.certificate_pem
        )
        async with grpc.aio.secure_channel(address, own) as channel:
            assert await channel.unary_unary(f"/{SERVICE}/Unary")(b"1", timeout=20) == b"1"
        assert echo.certificate is not None
        assert certificate_hash(echo.certificate).hex() == client.fingerprint
        bare = grpc.ssl_channel_credentials(authority.certificate_pem)
        async with grpc.aio.secure_channel(address, bare) as channel:
            with pytest.raises(grpc.aio.AioRpcError) as refused:
                await channel.unary_unary(f"/{SERVICE}/Unary")(b"1", timeout=10)
            assert refused.value.code() == grpc.StatusCode.UNAVAILABLE


async def test_cancelled_streams_free_their_place() -> None:
    async with (
        serving(Echo(), limit=1) as (_, address),
        grpc.aio.insecure_channel(address) as client,
    ):
        for number in range(5):
            async with asyncio.timeout(20):
                await _until_admitted(client, b"%d" % number)


async def _until_admitted(client: grpc.aio.Channel, message: bytes) -> None:
    """Open a stream, use it, cancel it; the place of the one before may take a moment to free."""
    while True:
        stream = client.stream_stream(f"/{SERVICE}/Stream")()
        await stream.write(message)
        try:
            assert await stream.read() == message
        except grpc.aio.AioRpcError:
            continue
        stream.cancel()
        return
