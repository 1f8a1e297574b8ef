"""Chaincode streams that live in memory, and what chaincodes say on them."""

from __future__ import annotations

import asyncio

from fabric_protos.peer.chaincode_pb2 import ChaincodeID, ChaincodeInput, ChaincodeSpec
from fabric_protos.peer.chaincode_shim_pb2 import ChaincodeMessage
from fabric_protos.peer.proposal_response_pb2 import Response
from google.protobuf.message import Message
from treadle_peer.chaincode import StreamEnded, StreamLost

Msg = ChaincodeMessage


def message(
    kind: Msg.Type.ValueType, payload: Message | bytes = b"", *, tx: str = "t1", channel: str = "ch"
) -> Msg:
    """A message of the chaincode."""
    raw = payload if isinstance(payload, bytes) else payload.SerializeToString()
    return Msg(type=kind, payload=raw, txid=tx, channel_id=channel)


def register(ccid: str = "probe:1") -> Msg:
    """REGISTER as every shim sends it."""
    return Msg(type=Msg.REGISTER, payload=ChaincodeID(name=ccid).SerializeToString())


def completed(
    tx: str = "t1", *, channel: str = "ch", status: int = 200, payload: bytes = b""
) -> Msg:
    """COMPLETED with a response."""
    return message(Msg.COMPLETED, Response(status=status, payload=payload), tx=tx, channel=channel)


def invocation(name: str = "other", *, tx: str = "t1", channel: str = "ch") -> Msg:
    """INVOKE_CHAINCODE of *name*."""
    spec = ChaincodeSpec(chaincode_id=ChaincodeID(name=name), input=ChaincodeInput(args=[b"f"]))
    return message(Msg.INVOKE_CHAINCODE, spec, tx=tx, channel=channel)


class Say:
    """Messages of a chaincode, for tests."""

    message = staticmethod(message)
    register = staticmethod(register)
    completed = staticmethod(completed)
    invocation = staticmethod(invocation)


class MemoryStream:
    """The peer's end of a stream; the test plays the chaincode with ``say`` and ``hear``.

    ``stop_reading`` makes the chaincode deaf: ``send`` then waits for ever.
    """

    def __init__(self) -> None:
        self._incoming: asyncio.Queue[Msg | StreamEnded | None] = asyncio.Queue()
        self._outgoing: asyncio.Queue[Msg] = asyncio.Queue()
        self._reading = asyncio.Event()
        self._reading.set()
        self.closed = asyncio.Event()

    async def receive(self) -> Msg | None:
        item = await self._incoming.get()
        if isinstance(item, StreamEnded):
            raise item
        return item

    async def send(self, item: Msg) -> None:
        await self._reading.wait()
        sent = Msg()
        sent.CopyFrom(item)
        self._outgoing.put_nowait(sent)

    async def close(self) -> None:
        self.closed.set()

    def say(self, *items: Msg) -> None:
        """The chaincode sends these."""
        for item in items:
            self._incoming.put_nowait(item)

    def hang_up(self) -> None:
        """The chaincode closes the stream."""
        self._incoming.put_nowait(None)

    def break_off(self, reason: StreamEnded | None = None) -> None:
        """The network takes the stream away."""
        self._incoming.put_nowait(reason or StreamLost("connection reset"))

    def stop_reading(self) -> None:
        """From now on nobody takes what is sent."""
        self._reading.clear()

    def read_again(self) -> None:
        """Undo ``stop_reading``."""
        self._reading.set()

    async def hear(self) -> Msg:
        """The next message that the chaincode gets."""
        async with asyncio.timeout(10):
            return await self._outgoing.get()

    def heard(self) -> list[Msg]:
        """Everything that has arrived and was not taken yet."""
        items = []
        while not self._outgoing.empty():
            items.append(self._outgoing.get_nowait())
        return items

    async def start(self, ccid: str = "probe:1") -> None:
        """Register and take the greeting."""
        self.say(register(ccid))
        assert [(await self.hear()).type, (await self.hear()).type] == [Msg.REGISTERED, Msg.READY]
