"""Beside a chaincode that only listens: holds the stream to the peer for it."""

from __future__ import annotations

import asyncio
import logging
import signal

from treadle_peer.chaincode import StreamEnded
from treadle_peer.chaincode.bridge import Bridge, first_of
from treadle_peer.pods.told import PodError, Told
from treadle_peer.server.chaincode_grpc import (
    DialledStream,
    Target,
    dial_chaincode_server,
    dial_peer,
)

_LOG = logging.getLogger(__name__)


async def run_bridge(told: Told, *, chaincode: str) -> None:
    """Join the chaincode server at *chaincode* (host:port) to the peer until a signal comes.

    Raises PodError when the peer refuses it for good.
    """
    peer = told.target()
    server = Target(address=chaincode)
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)

    async def to_peer() -> DialledStream:
        return await dial_peer(peer)

    bridge = Bridge(peers={"peer": to_peer})
    _LOG.info("joining the chaincode server %s to the peer %s", chaincode, told.peer)
    try:
        await first_of(bridge.serve_dialled(lambda: dial_chaincode_server(server)), _until(stop))
    except StreamEnded as ended:
        raise PodError(f"the peer refused the chaincode: {ended.sentence}") from None


async def _until(stop: asyncio.Event) -> None:
    await stop.wait()
