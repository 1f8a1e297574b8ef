"""Beside a chaincode, or far from it: holds the stream to the peer for it."""

from __future__ import annotations

import asyncio
import logging
import signal
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from fabric_protos.peer.chaincode_shim_pb2 import ChaincodeMessage

from treadle_peer.chaincode import ClosableStream, Ending, StreamEnded, StreamLost
from treadle_peer.chaincode.bridge import Bridge, first_of
from treadle_peer.pods.told import PodError, Told
from treadle_peer.server.chaincode_grpc import (
    ClientTLS,
    Target,
    dial_chaincode_server,
    dial_peer,
)

_LOG = logging.getLogger(__name__)
_Result = TypeVar("_Result")


async def run_bridge(told: Told, *, chaincode: str) -> None:
    """Join the chaincode server at *chaincode* (host:port) to the peer until a signal comes.

    Raises PodError when the peer refuses it for good.
    """
    bridge = bridge_of(told)
    server = Target(address=chaincode)
    _LOG.info("joining the chaincode server %s to the peer %s", chaincode, told.peer)
    await until_told(bridge.serve_dialled(lambda: dial_chaincode_server(server)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Elsewhere:
    """A server that somebody else runs, at ``address`` (host:port).

    ``tls`` is a folder with ca.crt, and tls.crt and tls.key where the server asks for a client
    certificate; None: it has no TLS. ``patience`` in seconds: how long it may be away at first.
    """

    address: str
    tls: Path | None
    patience: float


async def run_bridge_to(told: Told, server: Elsewhere) -> None:
    """Join *server* to the peer until a signal comes.

    Raises PodError when it cannot be reached at all, or when the peer refuses it for good.
    """
    bridge, first = bridge_of(told), _First(server)
    _target(server)
    _LOG.info("joining the chaincode server %s to the peer %s", server.address, told.peer)
    await until_told(bridge.serve_dialled(first.dial))


def bridge_of(told: Told) -> Bridge:
    """To the peer, by the pod's certificate; raises PodError."""
    peer = told.target()
    patient = time.monotonic() + told.unknown

    async def to_peer() -> ClosableStream:
        stream = await dial_peer(peer)
        return _Young(stream) if time.monotonic() < patient else stream

    return Bridge(peers={"peer": to_peer})


async def until_told(work: Awaitable[None]) -> None:
    """Do *work* until a signal comes; raises PodError when the peer refuses the chaincode."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    try:
        await first_of(work, _until(stop))
    except StreamEnded as ended:
        raise PodError(f"the peer refused the chaincode: {ended.sentence}") from None


class _Young:
    """The stream of a pod that has only just begun: its peer may not know its address yet."""

    def __init__(self, stream: ClosableStream) -> None:
        self._stream = stream

    async def receive(self) -> ChaincodeMessage | None:
        """See ChaincodeStream; a refusal only says that it is too early."""
        return await self._tolerant(self._stream.receive())

    async def send(self, message: ChaincodeMessage) -> None:
        """See ChaincodeStream."""
        await self._tolerant(self._stream.send(message))

    async def close(self) -> None:
        """See ClosableStream."""
        await self._stream.close()

    async def _tolerant(self, call: Awaitable[_Result]) -> _Result:
        try:
            return await call
        except StreamEnded as ended:
            if ended.code is Ending.PERMISSION_DENIED:
                raise StreamLost(ended.sentence) from None
            raise


class _First:
    """Dials a server again and again, but not for ever before it has answered once."""

    def __init__(self, server: Elsewhere) -> None:
        self._server = server
        self._answered = False
        self._end = time.monotonic() + server.patience

    async def dial(self) -> ClosableStream:
        try:
            stream = await dial_chaincode_server(_target(self._server))
        except StreamLost as lost:
            if not self._answered and time.monotonic() > self._end:
                text = f"the chaincode server at {self._server.address} does not answer"
                raise PodError(f"{text}: {lost.sentence}") from None
            raise
        self._answered = True
        return stream


def _target(server: Elsewhere) -> Target:
    """Read anew each time: Secrets change. Raises PodError."""
    if server.tls is None:
        return Target(address=server.address)
    read = _reader(server.tls)
    roots = read("ca.crt")
    if roots is None:
        raise PodError("the Secret for the chaincode server's TLS has no ca.crt")
    tls = ClientTLS(roots=roots, key=read("tls.key"), certificate=read("tls.crt"))
    return Target(address=server.address, tls=tls)


def _reader(folder: Path) -> Callable[[str], bytes | None]:
    def read(name: str) -> bytes | None:
        path = folder / name
        return path.read_bytes() if path.exists() else None

    return read


async def _until(stop: asyncio.Event) -> None:
    await stop.wait()
