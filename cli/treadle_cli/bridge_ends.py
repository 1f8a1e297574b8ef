"""The chaincode's end of a bridge: a port that chaincodes dial, and the name that they must use."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from fabric_protos.peer.chaincode_pb2 import ChaincodeID
from fabric_protos.peer.chaincode_shim_pb2 import ChaincodeMessage
from google.protobuf.message import DecodeError
from treadle_peer.chaincode import ChaincodeStream, Ending, StreamEnded, StreamPeer
from treadle_peer.chaincode.bridge import Bridge
from treadle_peer.config import KeepaliveConfig
from treadle_peer.server.chaincode_grpc import (
    REGISTER_SERVICE,
    register_handlers,
)
from treadle_peer.server.guard import Guard
from treadle_peer.server.listener import GrpcListener, ListenerOptions
from treadle_peer.services.metrics import Metrics

_STOP_SECONDS = 1.0


@asynccontextmanager
async def listening(bridge: Bridge, address: str, *, ccid: str) -> AsyncIterator[str]:
    """Serve what dials *address* in plaintext; the real address. Raises ListenError."""
    listener = GrpcListener(
        ListenerOptions(address=address, setting="--listen", tls=None, keepalive=KeepaliveConfig())
    )

    async def serve(stream: ChaincodeStream, caller: StreamPeer) -> None:
        await bridge.serve(Named(stream, ccid))

    metrics = Metrics(version="", heights=dict)
    guard = Guard(REGISTER_SERVICE, metrics=metrics.grpc, streams=listener.streams)
    listener.add([register_handlers(serve, guard=guard)])
    bound = listener.bind()
    await listener.start()
    try:
        yield bound
    finally:
        await listener.stop(_STOP_SECONDS)


class Named:
    """A chaincode stream whose REGISTER must carry the expected name, when one is expected.

    *close* closes it where we have dialled it; what the other side dialled, its listener closes.
    """

    def __init__(
        self,
        stream: ChaincodeStream,
        ccid: str,
        *,
        close: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        self._stream = stream
        self._ccid = ccid
        self._close = close

    async def receive(self) -> ChaincodeMessage | None:
        """See ChaincodeStream; raises StreamEnded for another name."""
        message = await self._stream.receive()
        if self._ccid and message is not None and message.type == ChaincodeMessage.REGISTER:
            check_name(message, self._ccid)
        return message

    async def send(self, message: ChaincodeMessage) -> None:
        """See ChaincodeStream."""
        await self._stream.send(message)

    async def close(self) -> None:
        """See ClosableStream."""
        if self._close is not None:
            await self._close()


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
