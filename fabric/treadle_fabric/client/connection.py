"""One gRPC channel to one server, the only place that opens one.

``PeerConnection`` and ``OrdererConnection`` hold one each. Every wait has a deadline, and every
gRPC error leaves as a ``ClientError``.
"""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
from collections.abc import Awaitable, Coroutine, Iterable, Sequence
from typing import TypeVar

import grpc
import grpc.aio
from fabric_protos.common.common_pb2 import Envelope
from google.protobuf.message import Message

from treadle_fabric.client.endpoints import Endpoint, channel_options
from treadle_fabric.client.errors import (
    CallFailed,
    ClientError,
    ConnectionFailed,
    DeadlinePassed,
)

_T = TypeVar("_T")
_Request = TypeVar("_Request", bound=Message)
_Response = TypeVar("_Response", bound=Message)

_EXPLAIN_SECONDS = 1.0
# What grpc.aio says (as INTERNAL) when a message cannot be sent because the call is gone already.
_LOST = "Internal error from Core"


class Connection:
    """A lazily opened connection; make it inside a running event loop, close it when done."""

    def __init__(self, endpoint: Endpoint) -> None:
        self.endpoint = endpoint
        self._channel = _open(endpoint)

    async def wait_ready(self, *, within: float, fail_fast: bool = False) -> None:
        """Connect. Raises ConnectionFailed after *within* seconds.

        With *fail_fast* the first failed attempt ends the wait, as with Fabric's command line;
        without it, a server that is still starting is waited for.
        """
        try:
            async with asyncio.timeout(within):
                ready = await self._connect(fail_fast=fail_fast)
        except TimeoutError:
            ready = False
        if not ready:
            raise ConnectionFailed(self.endpoint.address, await explain_failure(self.endpoint))

    async def _connect(self, *, fail_fast: bool) -> bool:
        state = self._channel.get_state(try_to_connect=True)
        while state is not grpc.ChannelConnectivity.READY:
            if state is grpc.ChannelConnectivity.SHUTDOWN:
                return False
            if state is grpc.ChannelConnectivity.TRANSIENT_FAILURE and fail_fast:
                return False
            await self._channel.wait_for_state_change(state)
            state = self._channel.get_state(try_to_connect=True)
        return True

    async def unary(
        self,
        method: str,
        request: _Request,
        answer: type[_Response],
        *,
        within: float,
        metadata: Sequence[tuple[str, str]] = (),
    ) -> _Response:
        """Call *method* (``/package.Service/Method``); raises CallFailed or DeadlinePassed."""
        call = self._channel.unary_unary(
            method,
            request_serializer=_message_bytes,
            response_deserializer=answer.FromString,
        )
        return await translated(
            call(request, timeout=within, metadata=tuple(metadata)),
            waiting_for=f"{method} at {self.endpoint.address}",
        )

    def stream(
        self, method: str, answer: type[_Response]
    ) -> grpc.aio.StreamStreamCall[Envelope, _Response]:
        """Open a two-way stream of envelopes and answers; the caller owns deadlines and end."""
        call = self._channel.stream_stream(
            method,
            request_serializer=_envelope_bytes,
            response_deserializer=answer.FromString,
        )
        return call()

    async def close(self) -> None:
        """Close at once; calls still running fail."""
        await self._channel.close()


async def translated(
    awaitable: Awaitable[_T], *, waiting_for: str, within: float | None = None
) -> _T:
    """Await a gRPC operation within *within* seconds and turn its failures into ClientError.

    *within* None waits without end; the call's own deadline then ends it.
    """
    try:
        async with asyncio.timeout(within):
            return await awaitable
    except TimeoutError:
        raise DeadlinePassed(f"timed out after {within:g} s waiting for {waiting_for}") from None
    except grpc.aio.AioRpcError as error:
        raise as_client_error(error) from None


async def all_of(work: Iterable[Coroutine[object, object, _T]]) -> list[_T]:
    """Run *work* concurrently; the first failure ends the rest and is raised as itself."""
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(one) for one in work]
    except ExceptionGroup as failures:
        raise failures.exceptions[0] from None
    return [task.result() for task in tasks]


def as_client_error(error: grpc.aio.AioRpcError) -> ClientError:
    """The ClientError of a gRPC error."""
    if error.details() == _LOST:
        return CallFailed("UNAVAILABLE", "the connection was lost while sending")
    return CallFailed(error.code().name, error.details() or "")


async def explain_failure(endpoint: Endpoint) -> str:
    """Say why no connection comes about, by trying once more without gRPC.

    gRPC tells only that it failed; the operating system and the TLS library know the reason.
    """
    try:
        async with asyncio.timeout(_EXPLAIN_SECONDS):
            await _try_plainly(endpoint)
    except TimeoutError:
        return "no answer in time"
    except ssl.SSLError as error:
        reason = (error.reason or str(error)).replace("_", " ").lower()
        return f"TLS handshake: {reason}{_verification(error)}"
    except socket.gaierror as error:
        return f"dial tcp: lookup {endpoint.host}: {(error.strerror or str(error)).lower()}"
    except OSError as error:
        reason = os.strerror(error.errno).lower() if error.errno else str(error)
        return f"dial tcp {endpoint.address}: connect: {reason}"
    except ValueError:
        return f"dial tcp: address {endpoint.address}: missing port in address"
    if endpoint.tls is None:
        return "something listens there, but does not speak plaintext gRPC (is TLS needed?)"
    return "the server ended the TLS handshake (does it ask for a client certificate?)"


async def _try_plainly(endpoint: Endpoint) -> None:
    context, name = None, None
    if endpoint.tls is not None:
        context = ssl.create_default_context(cadata=endpoint.tls.root_certificates.decode())
        name = endpoint.server_name
    _, writer = await asyncio.open_connection(
        endpoint.host, endpoint.port, ssl=context, server_hostname=name
    )
    writer.close()


def _verification(error: ssl.SSLError) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f" ({error.verify_message})"
    return ""


def _open(endpoint: Endpoint) -> grpc.aio.Channel:
    options: Sequence[tuple[str, int | str]] = channel_options(endpoint)
    if endpoint.tls is None:
        return grpc.aio.insecure_channel(endpoint.address, options=options)
    credentials = grpc.ssl_channel_credentials(
        root_certificates=endpoint.tls.root_certificates,
        private_key=endpoint.tls.client_key or None,
        certificate_chain=endpoint.tls.client_certificate or None,
    )
    return grpc.aio.secure_channel(endpoint.address, credentials, options=options)


def _message_bytes(message: Message) -> bytes:
    return message.SerializeToString()


def _envelope_bytes(envelope: Envelope) -> bytes:
    return envelope.SerializeToString()
