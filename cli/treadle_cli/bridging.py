"""``treadle bridge``: joins a chaincode to a peer where its shim cannot do that itself."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import click
from treadle_peer.chaincode import StreamEnded
from treadle_peer.chaincode.bridge import Bridge, TransactionRecord, first_of
from treadle_peer.main import stop_on_signals
from treadle_peer.server.chaincode_grpc import (
    ClientTLS,
    DialledStream,
    Target,
    dial_chaincode_server,
    dial_peer,
)
from treadle_peer.server.listener import ListenError

from treadle_cli.bridge_ends import Named, listening
from treadle_cli.errors import TreadleError


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

    async def to_chaincode() -> Named:
        server = await dial_chaincode_server(target)
        return Named(server, request.ccid, close=server.close)

    click.echo(f"joining chaincode server {target.address} to the peer {request.peer}", err=True)
    await bridge.serve_dialled(to_chaincode)


async def _listen(bridge: Bridge, request: BridgeRequest) -> None:
    async with listening(bridge, request.listen, ccid=request.ccid) as bound:
        click.echo(f"chaincodes may dial {bound}; the peer is {request.peer}", err=True)
        await asyncio.Event().wait()


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
