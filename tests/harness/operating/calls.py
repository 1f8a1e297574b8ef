"""Between an operator and a peer: sees every gRPC call, and can act at one of them.

It is the peer to the operator, with the peer's own certificates, and the operator to the peer.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import grpc
import grpc.aio
from harness.operating.operated import Operated
from harness.operating.proxy import Moment
from harness.operating.steps import Steps
from harness.operating.world import secret_bytes
from treadle_operator.names import peer_names

_OPTIONS = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]
_NAMES = {7050: "peer0", 7051: "peer0", 7055: "peer0-internal"}


@dataclass(slots=True)
class PeerCalls:
    """A context manager; ``hosts`` is the file by which the operator finds this, not the peer."""

    trade: Operated
    steps: Steps
    hosts: Path
    _loop: asyncio.AbstractEventLoop | None = None
    _thread: threading.Thread | None = None
    _ready: threading.Event = field(default_factory=threading.Event)
    _end: asyncio.Event = field(default_factory=asyncio.Event)
    _error: BaseException | None = None

    def __enter__(self) -> Self:
        names = " ".join(f"{name}.{self.trade.space.name}.svc" for name in set(_NAMES.values()))
        address = self.trade.machine.node.address
        self.hosts.write_text(f"127.0.0.1 localhost\n{address} {names}\n")
        self._thread = threading.Thread(target=self._run, name="peer calls")
        self._thread.start()
        assert self._ready.wait(30), "nothing listens for the peer"
        if self._error is not None:
            raise self._error
        return self

    def __exit__(self, *_: object) -> None:
        assert self._loop is not None
        assert self._thread is not None
        self._loop.call_soon_threadsafe(self._end.set)
        self._thread.join(30)
        assert not self._thread.is_alive(), "the peer's proxy does not end"

    def _run(self) -> None:
        with asyncio.Runner() as runner:
            self._loop = runner.get_loop()
            try:
                runner.run(self._serve())
            except Exception as error:
                self._error = error
                self._ready.set()

    async def _serve(self) -> None:
        servers = []
        for port in _NAMES:
            server = grpc.aio.server(options=_OPTIONS)
            server.add_generic_rpc_handlers((self._handler(port),))
            address = f"{self.trade.machine.node.address}:{port}"
            server.add_secure_port(address, self._server_credentials(port))
            await server.start()
            servers.append(server)
        self._ready.set()
        await self._end.wait()
        for server in servers:
            await server.stop(None)

    def _secret(self, kind: str) -> dict[str, bytes]:
        names = peer_names("peer0", "Org1MSP")
        return secret_bytes(self.trade.space.get("Secret", getattr(names, f"{kind}_secret")))

    def _server_credentials(self, port: int) -> grpc.ServerCredentials:
        data = self._secret("runtime" if port == 7055 else "tls")
        return grpc.ssl_server_credentials([(data["tls.key"], data["tls.crt"])])

    def _handler(self, port: int) -> grpc.GenericRpcHandler:
        channel = self._channel(port)
        return _Everything(lambda method: _forward(channel, self.steps, method))

    def _channel(self, port: int) -> grpc.aio.Channel:
        (pod,) = self.trade.pods("peer0-0")
        name = f"{_NAMES[port]}.{self.trade.space.name}.svc"
        if port == 7055:
            data = self._secret("operator")
            credentials = grpc.ssl_channel_credentials(
                data["ca.crt"], data["client.key"], data["client.crt"]
            )
        else:
            credentials = grpc.ssl_channel_credentials(self._secret("tls")["ca.crt"])
        options = [*_OPTIONS, ("grpc.ssl_target_name_override", name)]
        return grpc.aio.secure_channel(f"{pod['status']['podIP']}:{port}", credentials, options)


@dataclass(frozen=True, slots=True)
class _Everything(grpc.GenericRpcHandler):
    handler: Any

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler:
        made = grpc.stream_stream_rpc_method_handler(self.handler(handler_call_details.method))
        return made


def _forward(channel: grpc.aio.Channel, steps: Steps, method: str) -> Any:
    async def handle(
        requests: AsyncIterator[bytes], context: grpc.aio.ServicerContext[bytes, bytes]
    ) -> AsyncIterator[bytes]:
        number = steps.begin(f"gRPC {method}")
        if not await _may(steps, number, "before"):
            await context.abort(grpc.StatusCode.UNAVAILABLE, "ended before")
        metadata = [each for each in context.invocation_metadata() or () if _is_own(each[0])]
        call = channel.stream_stream(method)(requests, metadata=metadata)
        answered = False
        try:
            async for message in call:
                if not answered and not await _may(steps, number, "after"):
                    await context.abort(grpc.StatusCode.UNAVAILABLE, "ended after")
                answered = True
                yield message
        except grpc.aio.AioRpcError as error:
            await context.abort(error.code(), error.details() or "")
        finally:
            with suppress(asyncio.CancelledError):
                call.cancel()

    return handle


async def _may(steps: Steps, number: int, moment: Moment) -> bool:
    return await asyncio.to_thread(steps.act, number, moment)


def _is_own(key: str) -> bool:
    return not key.startswith((":", "grpc-", "user-agent", "content-type", "te"))
