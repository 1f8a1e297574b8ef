"""A kubelet's port forwarding, where no kubelet runs: pods whose ports are somebody else's.

Speaks ``v4.channel.k8s.io`` as k8s.io/kubelet's pkg/cri/streaming/portforward/websocket.go does:
a data and an error channel, each beginning with the port in two bytes, little endian.
"""

from __future__ import annotations

import asyncio
import ssl
import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from socket import socket as Socket
from typing import Any, Self

from aiohttp import WSMsgType, web
from harness.kubernetes.control_plane import ControlPlane

NODE = "forwarding"
_PROTOCOL = "v4.channel.k8s.io"


Opener = Callable[[], Socket]
"""Connects to a port that only the pod's own network leads to; runs in a thread of its own."""


class ForwardingKubelet:
    """A node of *plane*: one of its own, or *node*, whose logs nobody can read meanwhile.

    ``ports``: (pod, port) to the address behind it, or what opens it; may change at any time.

    ``requests`` counts the connections, ``pings`` what keeps them alive; they are answered unless
    it is ``deaf``. A context manager.
    """

    def __init__(self, plane: ControlPlane, *, node: str = "") -> None:
        self._plane = plane
        self._borrowed = node
        self._before = 0
        self.ports: dict[tuple[str, int], str | Opener] = {}
        self.requests = 0
        self.pings = 0
        self.deaf = False
        self._open: set[web.WebSocketResponse] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="kubelet")
        self._runner: web.AppRunner | None = None

    def __enter__(self) -> Self:
        self._thread.start()
        self._plane.api.close()  # a server closes what was silent for long
        port = asyncio.run_coroutine_threadsafe(self._serve(), self._loop).result(30)
        if self._borrowed:
            self._before = self._borrow(port)
        else:
            self._register(port)
        return self

    def __exit__(self, *_: object) -> None:
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result(30)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
        self._plane.api.close()
        if self._borrowed:
            self._borrow(self._before)
        else:
            self._plane.api.delete(f"/api/v1/nodes/{NODE}")

    def cut(self) -> None:
        """Break all connections, as a proxy that was restarted does."""
        asyncio.run_coroutine_threadsafe(self._cut(), self._loop).result(30)

    def pod(self, namespace: str, name: str) -> None:
        """A pod on this node, which is all that the API server asks of one."""
        security = {"allowPrivilegeEscalation": False}
        container = {"name": "main", "image": "none", "securityContext": security}
        body = {
            "metadata": {"name": name},
            "spec": {"nodeName": NODE, "containers": [container]},
        }
        self._plane.api.create(f"/api/v1/namespaces/{namespace}/pods", body).expect()
        status = {"status": {"phase": "Running"}}
        path = f"/api/v1/namespaces/{namespace}/pods/{name}/status"
        self._plane.api.merge(path, status).expect()

    def _borrow(self, port: int) -> int:
        """Let the API server ask at *port*; where it asked before."""
        path = f"/api/v1/nodes/{self._borrowed}"
        endpoints = self._plane.api.get(path).expect()["status"]["daemonEndpoints"]
        wanted = {"kubeletEndpoint": {"Port": port}}
        self._plane.api.merge(f"{path}/status", {"status": {"daemonEndpoints": wanted}}).expect()
        return int(endpoints["kubeletEndpoint"]["Port"])

    def _register(self, port: int) -> None:
        self._plane.api.create("/api/v1/nodes", {"metadata": {"name": NODE}}).expect()
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        ready: dict[str, Any] = {"type": "Ready", "status": "True", "reason": "Here"}
        status = {
            "addresses": [{"type": "InternalIP", "address": "127.0.0.1"}],
            "daemonEndpoints": {"kubeletEndpoint": {"Port": port}},
            "conditions": [{**ready, "lastHeartbeatTime": now, "lastTransitionTime": now}],
        }
        self._plane.api.merge(f"/api/v1/nodes/{NODE}/status", {"status": status}).expect()

    async def _serve(self) -> int:
        app = web.Application()
        app.router.add_get("/portForward/{namespace}/{pod}", self._forward)
        app.router.add_get("/portForward/{namespace}/{pod}/{uid}", self._forward)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
        await self._runner.setup()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*self._plane.issue("kubelet", hosts=["127.0.0.1"]))
        site = web.TCPSite(self._runner, "127.0.0.1", 0, ssl_context=context)
        await site.start()
        return int(self._runner.addresses[0][1])

    async def _end(self) -> None:
        await self._cut()
        if self._runner is not None:
            await self._runner.cleanup()

    async def _cut(self) -> None:
        for socket in tuple(self._open):
            await socket.close()

    async def _forward(self, request: web.Request) -> web.WebSocketResponse:
        self.requests += 1
        socket = web.WebSocketResponse(protocols=[_PROTOCOL], autoping=False)
        await socket.prepare(request)
        self._open.add(socket)
        port = int(request.query["port"])
        for channel in (b"\x00", b"\x01"):
            await socket.send_bytes(channel + port.to_bytes(2, "little"))
        pod = request.match_info["pod"]
        try:
            await self._join(socket, self.ports.get((pod, port), "127.0.0.1:1"))
        except OSError as error:
            text = f"error forwarding port {port} to pod {pod}, uid : {error}"
            await socket.send_bytes(b"\x01" + text.encode())
        finally:
            self._open.discard(socket)
            await socket.close()
        return socket

    async def _join(self, socket: web.WebSocketResponse, to: str | Opener) -> None:
        reader, writer = await _opened(to)
        back = asyncio.create_task(_back(socket, reader))
        try:
            async for message in socket:
                if message.type is WSMsgType.PING:
                    await self._pinged(socket, message.data)
                elif message.type is WSMsgType.BINARY and message.data[:1] == b"\x00":
                    writer.write(message.data[1:])
                    await writer.drain()
        finally:
            back.cancel()
            writer.close()
            with suppress(asyncio.CancelledError, ConnectionError):
                await back

    async def _pinged(self, socket: web.WebSocketResponse, data: bytes) -> None:
        self.pings += 1
        if not self.deaf:
            await socket.pong(data)


async def _opened(to: str | Opener) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    if isinstance(to, str):
        host, _, port = to.rpartition(":")
        return await asyncio.open_connection(host, int(port))
    connected = await asyncio.to_thread(to)
    connected.setblocking(False)
    return await asyncio.open_connection(sock=connected)


async def _back(socket: web.WebSocketResponse, reader: asyncio.StreamReader) -> None:
    while data := await reader.read(65536):
        await socket.send_bytes(b"\x00" + data)
    await socket.close()
