"""Joins launched chaincode *servers* to the peer: the peer dials them itself."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable

from treadle_peer.chaincode import (
    ChaincodeSupport,
    ClosableStream,
    StreamEnded,
    StreamLost,
    StreamPeer,
)
from treadle_peer.server.chaincode_grpc import Target, dial_chaincode_server

_log = logging.getLogger(__name__)


class ServerBridges:
    """Implements BridgeStarter: serves the dialled stream as if the chaincode had dialled us."""

    def __init__(self, support: Callable[[], ChaincodeSupport]) -> None:
        self._support = support

    async def start(self, *, ccid: str, address: str, fingerprint: str) -> ServedServer:
        """See BridgeStarter."""
        try:
            stream = await dial_chaincode_server(Target(address=address))
        except StreamLost as error:
            raise ConnectionError(error.sentence) from error
        caller = StreamPeer(remote=address, fingerprint=fingerprint, loopback=True)
        task = asyncio.create_task(_serve(self._support(), stream, caller), name=f"serve {ccid}")
        return ServedServer(stream, task)


class ServedServer:
    """Implements RunningBridge."""

    def __init__(self, stream: ClosableStream, task: asyncio.Task[None]) -> None:
        self._stream = stream
        self._task = task

    async def stop(self) -> None:
        """See RunningBridge."""
        self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._task
        await self._stream.close()


async def _serve(support: ChaincodeSupport, stream: ClosableStream, caller: StreamPeer) -> None:
    try:
        await support.serve(stream, caller)
    except StreamEnded as ended:
        # Logged by the support; nobody is at the other end to be told.
        _log.debug("chaincode server %s: %s", caller.remote, ended.sentence)
    finally:
        await stream.close()
