"""The door of a port: looks at the first bytes of each connection and passes it on inside.

gRPC's Python server can demand client certificates or not ask for any, and a client that lacks
one sees nothing but a failed handshake. So the listener that demands them stays inside, and who
comes in plaintext, or as a stranger, is led to a listener that can answer with a sentence.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import logging
import socket
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from treadle_peer.config import is_unspecified, join_address, split_address
from treadle_peer.logs import Repeats
from treadle_peer.server.listener import ListenError
from treadle_peer.server.sniffing import FIRST_BYTES, Speech, recognise

_log = logging.getLogger(__name__)

_CHUNK_BYTES: Final = 32 * 1024
_BACKLOG: Final = 128
_PAUSE_SECONDS: Final = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """Where a connection goes, and how long it may last; ``seconds`` None: without bound."""

    address: str
    seconds: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DoorLimits:
    """``connections``: those not yet recognised, and those on routes with a bound, together.

    ``all_connections`` also counts those on routes without a bound: bytes that look like TLS lead
    there before any handshake.
    """

    connections: int = 256
    all_connections: int = 1024
    first_bytes_seconds: float = 5.0


Choose = Callable[[Speech], Route | None]
"""The route of a new connection; None closes it without a word."""


class Door:
    """One listening address in front of others. Holds one chunk per direction, nothing more."""

    def __init__(
        self, *, address: str, setting: str, choose: Choose, limits: DoorLimits | None = None
    ) -> None:
        self._address = address
        self._setting = setting
        self._choose = choose
        self._limits = limits or DoorLimits()
        self._sockets: list[socket.socket] = []
        self._accepting: list[asyncio.Task[None]] = []
        self._visits: set[asyncio.Task[None]] = set()
        self._strangers: set[asyncio.Task[None]] = set()
        self._origins: dict[str, str] = {}
        self._full = False
        self._repeats = Repeats(_log)

    def bind(self) -> str:
        """Take the port and return the real address; raises ListenError."""
        host, port = split_address(self._address)
        try:
            self._sockets = _listening(host, port)
        except OSError as error:
            raise ListenError(
                f"cannot listen on {join_address(host or '0.0.0.0', port)}: the port is taken or "
                f"the address is not ours; change {self._setting}"
            ) from error
        return join_address(host or "0.0.0.0", self._sockets[0].getsockname()[1])

    async def start(self) -> None:
        """Let connections in."""
        self._accepting = [asyncio.create_task(self._accept(one)) for one in self._sockets]

    async def stop(self, grace: float) -> None:
        """Let nobody in; who is inside has *grace* seconds. Idempotent."""
        for task in self._accepting:
            task.cancel()
        await asyncio.gather(*self._accepting, return_exceptions=True)
        for one in self._sockets:
            one.close()
        visits = set(self._visits) - self._strangers
        if visits and grace:
            await asyncio.wait(visits, timeout=grace)
        for task in tuple(self._visits):
            task.cancel()
        await asyncio.gather(*self._visits, return_exceptions=True)

    def origin(self, inside: str) -> str:
        """Who is behind a connection that the listeners inside see as coming from *inside*."""
        return self._origins.get(inside, inside)

    async def _accept(self, listening: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                client, address = await loop.sock_accept(listening)
            except OSError as error:
                self._repeats.warning(f"{self._setting} cannot be accepted from: {error}")
                await asyncio.sleep(_PAUSE_SECONDS)
                continue
            if self._has_room():
                self._let_in(client, _readable(address))
            else:
                client.close()

    def _let_in(self, client: socket.socket, remote: str) -> None:
        task = asyncio.create_task(self._visit(client, remote))
        self._visits.add(task)
        self._strangers.add(task)

        def gone(task: asyncio.Task[None]) -> None:
            client.close()
            self._visits.discard(task)
            self._strangers.discard(task)

        task.add_done_callback(gone)

    def _has_room(self) -> bool:
        most, all_told = self._limits.connections, self._limits.all_connections
        full = len(self._strangers) >= most or len(self._visits) >= all_told
        if full and not self._full:
            self._repeats.warning(
                f"{self._setting} has {len(self._strangers)} unadmitted connections of "
                f"{len(self._visits)}; more are closed at once",
            )
        self._full = full
        return not full

    async def _visit(self, client: socket.socket, remote: str) -> None:
        with contextlib.suppress(OSError, TimeoutError):
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            async with asyncio.timeout(self._limits.first_bytes_seconds):
                speech, first = await _first_bytes(client)
            route = self._choose(speech)
            if route is None:
                _log.debug("%s speaks no protocol of %s", remote, self._setting)
                return
            if route.seconds is None:
                self._no_stranger()
            async with asyncio.timeout(route.seconds):
                await self._lead(client, first, remote=remote, target=route.address)

    def _no_stranger(self) -> None:
        """The current task's connection no longer counts."""
        task = asyncio.current_task()
        if task is not None:
            self._strangers.discard(task)

    async def _lead(self, client: socket.socket, first: bytes, *, remote: str, target: str) -> None:
        loop = asyncio.get_running_loop()
        host, port = split_address(target)
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        with socket.socket(family) as inside:
            inside.setblocking(False)
            inside.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            await loop.sock_connect(inside, (host, port))
            own = _readable(inside.getsockname())
            self._origins[own] = remote
            try:
                await loop.sock_sendall(inside, first)
                await _both_ways(client, inside)
            finally:
                del self._origins[own]


async def _first_bytes(client: socket.socket) -> tuple[Speech, bytes]:
    loop = asyncio.get_running_loop()
    first = b""
    while (speech := recognise(first)) is None:
        more = await loop.sock_recv(client, FIRST_BYTES - len(first))
        if not more:
            return Speech.OTHER, first
        first += more
    return speech, first


async def _both_ways(client: socket.socket, inside: socket.socket) -> None:
    """Until the inside has ended, or the client is lost."""
    inward = asyncio.create_task(_pump(client, inside))
    outward = asyncio.create_task(_pump(inside, client))
    try:
        await asyncio.wait({inward, outward}, return_when=asyncio.FIRST_COMPLETED)
        if inward.done() and inward.exception() is None:
            await outward
    finally:
        for task in (inward, outward):
            task.cancel()
        await asyncio.gather(inward, outward, return_exceptions=True)


async def _pump(source: socket.socket, sink: socket.socket) -> None:
    loop = asyncio.get_running_loop()
    while data := await loop.sock_recv(source, _CHUNK_BYTES):
        await loop.sock_sendall(sink, data)
    sink.shutdown(socket.SHUT_WR)


def _listening(host: str, port: int) -> list[socket.socket]:
    """Sockets for every address of *host*, on one port; the first must succeed."""
    if is_unspecified(host):
        return [_everywhere(port)]
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    first, *others = dict.fromkeys((family, str(address[0])) for family, *_, address in found)
    bound = [_listen(first[1], port, first[0])]
    for family, address in others:
        with contextlib.suppress(OSError):
            bound.append(_listen(address, bound[0].getsockname()[1], family))
    return bound


def _everywhere(port: int) -> socket.socket:
    if socket.has_dualstack_ipv6():
        try:
            return _listen("::", port, socket.AF_INET6, dualstack=True)
        except OSError:
            # IPv6 may be there and switched off; a port that is taken fails below again.
            _log.debug("no IPv6 on port %d", port)
    return _listen("0.0.0.0", port, socket.AF_INET)


def _listen(host: str, port: int, family: int, *, dualstack: bool = False) -> socket.socket:
    made = socket.create_server(
        (host, port), family=family, backlog=_BACKLOG, dualstack_ipv6=dualstack
    )
    made.setblocking(False)
    return made


def _readable(address: tuple[str, int] | tuple[str, int, int, int]) -> str:
    """``host:port``; IPv4 in IPv6 clothes is IPv4."""
    host = address[0]
    mapped = getattr(ipaddress.ip_address(host.partition("%")[0]), "ipv4_mapped", None)
    return join_address(str(mapped or host), address[1])
