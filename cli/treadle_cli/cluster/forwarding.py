"""A port of a pod on the loopback interface: each connection is a WebSocket of its own.

Kubernetes' ``v4.channel.k8s.io``: the first byte of a message is its channel, data 0 and errors 1;
each channel begins with the port, two bytes, little endian. A half-closed connection does not
exist there. The WebSocket is pinged every 20 s, so that no proxy takes a breakpoint for idleness,
and a dead one is noticed.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

from aiohttp import ClientConnectionError, ClientWebSocketResponse, WSMsgType

from treadle_cli.cluster.proxied import ApiSocket
from treadle_cli.errors import TreadleError

DATA: Final = b"\x00"
ERRORS: Final = 1
_CHUNK: Final = 65_536

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class PodPort:
    """A port of a pod."""

    namespace: str
    pod: str
    port: int


@asynccontextmanager
async def forwarded(api: ApiSocket, to: PodPort, *, tell: Tell) -> AsyncIterator[str]:
    """``127.0.0.1:<free port>``, for as long as the context lasts, also when the pod is away.

    A connection that the cluster refuses is closed; *tell* gets each new reason once.
    """
    told = _Once(tell)
    connections: set[asyncio.Task[None]] = set()

    def accepted(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(_serve(api, to, _Local(reader, writer), told))
        connections.add(task)
        task.add_done_callback(connections.discard)

    server = await asyncio.start_server(accepted, "127.0.0.1", 0)
    try:
        host, port = server.sockets[0].getsockname()[:2]
        yield f"{host}:{port}"
    finally:
        server.close()
        for task in tuple(connections):
            task.cancel()
        await asyncio.gather(*connections, return_exceptions=True)


@dataclass(frozen=True, slots=True)
class _Local:
    """Our end of a connection."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter


class _Once:
    """Tells a reason when it is another one than before."""

    def __init__(self, tell: Tell) -> None:
        self._tell = tell
        self._last = ""

    def failed(self, reason: str) -> None:
        if reason != self._last:
            self._last = reason
            self._tell(reason)

    def worked(self) -> None:
        self._last = ""


async def _serve(api: ApiSocket, to: PodPort, local: _Local, told: _Once) -> None:
    """Carry one connection to its end."""
    try:
        async with api.port(to.namespace, to.pod, to.port) as socket:
            await _carry(socket, local, told)
    except TreadleError as error:
        told.failed(str(error))
    except (ConnectionError, ClientConnectionError):
        # One of the ends is gone; whoever dialled sees that, and dials again.
        pass
    finally:
        local.writer.close()
        with contextlib.suppress(ConnectionError):
            await local.writer.wait_closed()


async def _carry(socket: ClientWebSocketResponse, local: _Local, told: _Once) -> None:
    """Both directions; the end of one is the end of the other."""
    ways = [
        asyncio.create_task(_to_pod(socket, local.reader)),
        asyncio.create_task(_from_pod(socket, local.writer, told)),
    ]
    try:
        done, _ = await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        for way in done:
            way.result()
    finally:
        for way in ways:
            way.cancel()
        await asyncio.gather(*ways, return_exceptions=True)


async def _to_pod(socket: ClientWebSocketResponse, reader: asyncio.StreamReader) -> None:
    """Until our end is closed. Where the pod's is, its last words may still have to be read."""
    while data := await reader.read(_CHUNK):
        try:
            await socket.send_bytes(DATA + data)
        except (ConnectionError, ClientConnectionError):
            await asyncio.Event().wait()


async def _from_pod(
    socket: ClientWebSocketResponse, writer: asyncio.StreamWriter, told: _Once
) -> None:
    greeted: set[int] = set()
    async for message in socket:
        if message.type is not WSMsgType.BINARY or not message.data:
            continue
        channel, data = message.data[0], message.data[1:]
        if channel not in greeted:
            greeted.add(channel)
            data = data[2:]  # the port that it is for
        if channel == ERRORS and data:
            raise TreadleError(data.decode(errors="replace").strip())
        if data:
            told.worked()
            writer.write(data)
            await writer.drain()
