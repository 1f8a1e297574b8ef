"""Chaincode streams over gRPC: the peer's Register port, and streams that we dial ourselves.

Towards ``treadle_peer.chaincode`` everything is a ChaincodeStream; a stream that ends with a
sentence becomes a status with that sentence as its details, and the other way round.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import grpc
import grpc.aio
from fabric_protos.peer.chaincode_shim_pb2 import ChaincodeMessage
from google.protobuf.message import DecodeError
from treadle_fabric.wire import why_unreadable

from treadle_peer.chaincode import (
    MAX_MESSAGE_BYTES,
    ChaincodeStream,
    Ending,
    StreamEnded,
    StreamLost,
    StreamPeer,
)
from treadle_peer.chaincode.bridge import LanedStream
from treadle_peer.server.callers import caller_of, is_loopback
from treadle_peer.server.guard import Guard

REGISTER_SERVICE = "protos.ChaincodeSupport"
CONNECT_SERVICE = "protos.Chaincode"

Serve = Callable[[ChaincodeStream, StreamPeer], Awaitable[None]]
"""Serves one chaincode stream to its end: ``ChaincodeSupport.serve`` or a bridge."""


@dataclass(frozen=True, slots=True)
class _Unreadable:
    """Bytes that are no ChaincodeMessage, and why."""

    why: str


ServerContext = grpc.aio.ServicerContext[ChaincodeMessage | _Unreadable, ChaincodeMessage]
ClientCall = grpc.aio.StreamStreamCall[ChaincodeMessage, ChaincodeMessage]

_LIMITS = [
    ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
    ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
]
# A peer allows a ping per minute; a chaincode server may allow none (fabric-wire.md trap 4).
PINGS_TO_PEER = [
    ("grpc.keepalive_time_ms", 75_000),
    ("grpc.keepalive_timeout_ms", 20_000),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.max_pings_without_data", 0),
]
_BROKEN = (grpc.RpcError, grpc.aio.BaseError, asyncio.InvalidStateError)
_CONNECTION_LOST = frozenset(
    {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED, grpc.StatusCode.INTERNAL}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientTLS:
    """PEM material for a stream that we dial; ``key`` and ``certificate`` are both or none."""

    roots: bytes
    key: bytes | None = field(default=None, repr=False)
    certificate: bytes | None = None
    server_name: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What to dial: ``host:port``, TLS or plaintext, and how many seconds to try.

    ``metadata`` is sent with the stream.
    """

    address: str
    tls: ClientTLS | None = None
    dial_timeout: float = 3.0
    metadata: tuple[tuple[str, str], ...] = ()


def _as_seen(remote: str) -> str:
    return remote


def register_handlers(
    serve: Serve, *, guard: Guard, origin: Callable[[str], str] = _as_seen
) -> grpc.GenericRpcHandler:
    """``ChaincodeSupport/Register``: chaincodes dial us.

    *origin* tells who is behind a remote address, for listeners behind a door.
    """

    async def register(
        requests: AsyncIterator[ChaincodeMessage | _Unreadable], context: ServerContext
    ) -> AsyncIterator[ChaincodeMessage]:
        try:
            await serve(_ServerStream(context), caller_of(context, origin))
        except StreamEnded as ended:
            await context.abort(grpc.StatusCode[ended.code.value], ended.sentence)
        # Messages are written as they come; the generator form is what the guard wraps.
        rest: tuple[ChaincodeMessage, ...] = ()
        for message in rest:
            yield message
        # What Fabric's handler makes of a chaincode that has closed its side.
        await context.abort(grpc.StatusCode.UNKNOWN, "EOF")

    method = grpc.stream_stream_rpc_method_handler(
        guard.stream("Register", register),
        request_deserializer=_received,
        response_serializer=ChaincodeMessage.SerializeToString,
    )
    return grpc.method_handlers_generic_handler(REGISTER_SERVICE, {"Register": method})


async def dial_peer(target: Target) -> DialledStream:
    """Open a Register stream to a peer; raises StreamLost when it cannot be reached."""
    channel = await connect(target, PINGS_TO_PEER)
    return _open(channel, f"/{REGISTER_SERVICE}/Register", target, owns_channel=True)


async def dial_chaincode_server(target: Target) -> LanedStream:
    """Open a Connect stream to a chaincode server; raises StreamLost.

    No pings: a Python server counts them as abuse.
    """
    channel = await connect(target, [])
    method = f"/{CONNECT_SERVICE}/Connect"

    async def another() -> DialledStream:
        return _open(channel, method, target, owns_channel=False)

    return LanedStream(await another(), dial=another, release=channel.close)


async def serve_chaincode_server(serve: Serve, target: Target) -> None:
    """Dial a chaincode server and serve it to its end; raises StreamEnded (wire §2.8)."""
    stream = await dial_chaincode_server(target)
    host = target.address.rpartition(":")[0].strip("[]")
    peer = StreamPeer(
        remote=f"server {target.address}", fingerprint=None, loopback=is_loopback(host)
    )
    try:
        await serve(stream, peer)
    finally:
        await stream.close()


def _received(data: bytes) -> ChaincodeMessage | _Unreadable:
    # What a deserializer raises ends the stream with Python's words.
    try:
        return ChaincodeMessage.FromString(data)
    except DecodeError:
        return _Unreadable(why_unreadable(ChaincodeMessage, data))


class _ServerStream:
    """A stream that the other side dialled."""

    def __init__(self, context: ServerContext) -> None:
        self._context = context

    async def receive(self) -> ChaincodeMessage | None:
        """See ChaincodeStream."""
        try:
            message = await self._context.read()
        except _BROKEN as broken:
            raise StreamLost(f"receive from chaincode support stream failed: {broken}") from None
        if isinstance(message, _Unreadable):
            raise StreamEnded(
                f"grpc: failed to unmarshal the received message: {message.why}", Ending.INTERNAL
            )
        return message if isinstance(message, ChaincodeMessage) else None

    async def send(self, message: ChaincodeMessage) -> None:
        """See ChaincodeStream."""
        try:
            await self._context.write(message)
        except _BROKEN as broken:
            raise StreamLost(f"the chaincode cannot be written to: {broken}") from None


class DialledStream:
    """A stream that we dialled; *channel* is closed with it, when given."""

    def __init__(self, call: ClientCall, address: str, channel: grpc.aio.Channel | None) -> None:
        self._channel = channel
        self._call = call
        self._address = address

    async def receive(self) -> ChaincodeMessage | None:
        """See ChaincodeStream; a refusal by the other side is raised with its own sentence."""
        try:
            message = await self._call.read()
        except _BROKEN as broken:
            raise await self._ended(broken) from None
        return message if isinstance(message, ChaincodeMessage) else None

    async def send(self, message: ChaincodeMessage) -> None:
        """See ChaincodeStream."""
        try:
            await self._call.write(message)
        except _BROKEN as broken:
            raise await self._ended(broken) from None

    async def close(self) -> None:
        """Cancel the stream and close its channel."""
        self._call.cancel()
        if self._channel is not None:
            await self._channel.close()

    async def _ended(self, broken: Exception) -> StreamEnded:
        """Why the stream ended: what the other side said, also when a write noticed it first."""
        if not self._call.done():
            return StreamLost(f"the stream to {self._address} broke: {broken}")
        code, details = await self._call.code(), await self._call.details()
        sentence = details or code.name
        if code in _CONNECTION_LOST or code.name not in Ending.__members__:
            return StreamLost(f"{self._address}: {sentence}")
        return StreamEnded(sentence, Ending[code.name])


async def connect(target: Target, options: list[tuple[str, int]]) -> grpc.aio.Channel:
    """A channel that is connected; raises StreamLost when that takes too long."""
    channel = _channel(target, options)
    try:
        async with asyncio.timeout(target.dial_timeout):
            await channel.channel_ready()
    except TimeoutError:
        await channel.close()
        raise StreamLost(
            f"{target.address} could not be reached within {target.dial_timeout:g} s"
        ) from None
    except BaseException:
        await channel.close()
        raise
    return channel


def _open(
    channel: grpc.aio.Channel, method: str, target: Target, *, owns_channel: bool
) -> DialledStream:
    connect: grpc.aio.StreamStreamMultiCallable[ChaincodeMessage, ChaincodeMessage] = (
        channel.stream_stream(
            method,
            request_serializer=ChaincodeMessage.SerializeToString,
            response_deserializer=ChaincodeMessage.FromString,
        )
    )
    call = connect(metadata=target.metadata)
    return DialledStream(call, target.address, channel if owns_channel else None)


def _channel(target: Target, options: list[tuple[str, int]]) -> grpc.aio.Channel:
    arguments: list[tuple[str, Any]] = [*_LIMITS, *options]
    if target.tls is None:
        return grpc.aio.insecure_channel(target.address, options=arguments)
    if target.tls.server_name:
        arguments.append(("grpc.ssl_target_name_override", target.tls.server_name))
    credentials = grpc.ssl_channel_credentials(
        target.tls.roots, target.tls.key, target.tls.certificate
    )
    return grpc.aio.secure_channel(target.address, credentials, options=arguments)
