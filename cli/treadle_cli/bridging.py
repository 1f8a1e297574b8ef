"""``treadle bridge``: joins a chaincode to a peer where its shim cannot do that itself."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import click
from fabric_protos.peer.chaincode_pb2 import ChaincodeID
from fabric_protos.peer.chaincode_shim_pb2 import ChaincodeMessage
from google.protobuf.message import DecodeError
from treadle_peer.chaincode import ChaincodeStream, Ending, StreamEnded, StreamPeer
from treadle_peer.chaincode.bridge import Bridge, TransactionRecord, first_of
from treadle_peer.config import KeepaliveConfig
from treadle_peer.main import stop_on_signals
from treadle_peer.server.chaincode_grpc import (
    REGISTER_SERVICE,
    ClientTLS,
    DialledStream,
    Target,
    dial_chaincode_server,
    dial_peer,
    register_handlers,
)
from treadle_peer.server.guard import Guard
from treadle_peer.server.listener import GrpcListener, ListenerOptions, ListenError
from treadle_peer.services.metrics import Metrics

from treadle_cli.errors import TreadleError

_STOP_SECONDS = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class BridgeRequest:
    """What to join: the peer's chaincode port with a chaincode server, or with whoever dials us.

    Exactly one of ``chaincode`` and ``listen`` is set. ``ccid`` (``name:version``) may be empty;
    a chaincode that calls itself otherwise is refused. The files are PEM.
    """

    peer: str
    chaincode: str = ""
    listen: str = ""
    ccid: str = ""
    root: Path | None = None
    certificate: Path | None = None
    key: Path | None = None
    server_name: str = ""
    log_transactions: bool = False


async def run_bridge(request: BridgeRequest) -> None:
    """Serve until a signal; raises TreadleError when the peer refuses the chaincode for good."""
    logging.basicConfig(format="%(levelname)s %(message)s", level=logging.WARNING)
    logging.getLogger("treadle_peer.chaincode.bridge").setLevel(logging.INFO)
    stop = stop_on_signals()
    peer = Target(address=request.peer, tls=_tls(request))

    async def to_peer() -> DialledStream:
        return await dial_peer(peer)

    bridge = Bridge(peers={"peer": to_peer}, on_transaction=_reporter(request))
    works = _listen(bridge, request) if request.listen else _dial(bridge, request)
    try:
        await first_of(works, _until(stop))
    except StreamEnded as ended:
        raise TreadleError(f"the peer refused the chaincode: {ended.sentence}") from None
    except ListenError as error:
        raise TreadleError(str(error)) from None


async def _until(stop: asyncio.Event) -> None:
    await stop.wait()


async def _dial(bridge: Bridge, request: BridgeRequest) -> None:
    target = Target(address=request.chaincode)

    async def to_chaincode() -> _Named:
        return _Named(await dial_chaincode_server(target), request.ccid)

    click.echo(f"joining chaincode server {target.address} to the peer {request.peer}", err=True)
    await bridge.serve_dialled(to_chaincode)


async def _listen(bridge: Bridge, request: BridgeRequest) -> None:
    listener = GrpcListener(
        ListenerOptions(
            address=request.listen, setting="--listen", tls=None, keepalive=KeepaliveConfig()
        )
    )

    async def serve(stream: ChaincodeStream, caller: StreamPeer) -> None:
        await bridge.serve(_Named(stream, request.ccid))

    metrics = Metrics(version="", heights=dict)
    guard = Guard(REGISTER_SERVICE, metrics=metrics.grpc, streams=listener.streams)
    listener.add([register_handlers(serve, guard=guard)])
    click.echo(f"chaincodes may dial {listener.bind()}; the peer is {request.peer}", err=True)
    await listener.start()
    try:
        await asyncio.Event().wait()
    finally:
        await listener.stop(_STOP_SECONDS)


class _Named:
    """A chaincode stream whose REGISTER must carry the expected name."""

    def __init__(self, stream: ChaincodeStream | DialledStream, ccid: str) -> None:
        self._stream = stream
        self._ccid = ccid

    async def receive(self) -> ChaincodeMessage | None:
        message = await self._stream.receive()
        if self._ccid and message is not None and message.type == ChaincodeMessage.REGISTER:
            check_name(message, self._ccid)
        return message

    async def send(self, message: ChaincodeMessage) -> None:
        await self._stream.send(message)

    async def close(self) -> None:
        if isinstance(self._stream, DialledStream):
            await self._stream.close()


def check_name(register: ChaincodeMessage, ccid: str) -> None:
    """Raise StreamEnded when the chaincode registers under another name than *ccid*."""
    try:
        name = ChaincodeID.FromString(register.payload).name
    except DecodeError:
        name = ""
    if name != ccid:
        raise StreamEnded(
            f"the chaincode calls itself {name!r}, but this bridge is for {ccid!r}; "
            "start it with the same name, or leave out --id",
            Ending.INVALID_ARGUMENT,
        )


def _tls(request: BridgeRequest) -> ClientTLS | None:
    if request.root is None:
        return None
    return ClientTLS(
        roots=_read(request.root),
        certificate=_read(request.certificate) if request.certificate else None,
        key=_read(request.key) if request.key else None,
        server_name=request.server_name or None,
    )


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise TreadleError(f"cannot read {file}: {error.strerror}") from error


def _reporter(request: BridgeRequest) -> Callable[[TransactionRecord], None] | None:
    if not request.log_transactions:
        return None
    return lambda record: click.echo(transaction_line(record))


def transaction_line(record: TransactionRecord) -> str:
    """One finished transaction on one line."""
    requests = sum(record.requests.values())
    status = "ERROR" if record.status is None else str(record.status)
    words = [
        record.tx_id[:8],
        record.channel_id or "-",
        "Init" if record.init else record.function or "-",
        status,
        f"{record.seconds * 1000:.0f} ms",
        f"{requests} requests",
    ]
    if record.message:
        words.append(record.message)
    if not record.delivered:
        words.append("(the peer went away first)")
    return "  ".join(words)
