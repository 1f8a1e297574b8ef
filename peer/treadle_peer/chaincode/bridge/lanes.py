"""One transaction per stream, for a shim that loses answers when two of them leave at once.

The Python shim (2.5.4) writes to its stream from one task per transaction without a lock; gRPC
refuses the second of two overlapping writes, and that transaction never gets an answer. Its server
takes any number of streams, though. So a chaincode server that looks like it gets one stream per
running transaction, while towards us they are a single stream.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from fabric_protos.peer.chaincode_shim_pb2 import ChaincodeMessage

from treadle_peer.chaincode.bridge.runner import Dial
from treadle_peer.chaincode.errors import StreamEnded, StreamLost
from treadle_peer.chaincode.session import TxKey
from treadle_peer.chaincode.streams import ClosableStream

MOST_LANES = 32
SILENT_SECONDS = 30.0
"""A lane without a word for so long may be closed when all others are taken, too."""

STARTS = frozenset({ChaincodeMessage.INIT, ChaincodeMessage.TRANSACTION})
FINALS = frozenset({ChaincodeMessage.COMPLETED, ChaincodeMessage.ERROR})


def needs_lanes(register: ChaincodeMessage) -> bool:
    """Whether this REGISTER is the Python shim's: no other shim sets the timestamp."""
    return register.HasField("timestamp")


@dataclass(slots=True, eq=False)
class _Lane:
    stream: ClosableStream
    heard: float
    running: set[TxKey] = field(default_factory=set)
    reader: asyncio.Task[None] | None = None


class LanedStream:
    """Looks like one stream to a chaincode server; opens more of them by *dial* as needed.

    *release* frees what the streams share, when all are closed.
    """

    def __init__(
        self,
        first: ClosableStream,
        *,
        dial: Dial,
        release: Callable[[], Awaitable[None]],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._dial = dial
        self._release = release
        self._clock = clock
        self._lanes = [_Lane(first, clock())]
        self._several = False
        # One place: a reader waits until its message is taken, as a plain stream would.
        self._incoming: asyncio.Queue[ChaincodeMessage | StreamEnded | None] = asyncio.Queue(1)
        self._lanes[0].reader = asyncio.create_task(self._read(self._lanes[0]))

    async def receive(self) -> ChaincodeMessage | None:
        """See ChaincodeStream."""
        item = await self._incoming.get()
        if isinstance(item, StreamEnded):
            raise item
        if item is not None and item.type == ChaincodeMessage.REGISTER:
            self._several = needs_lanes(item)
        return item

    async def send(self, message: ChaincodeMessage) -> None:
        """See ChaincodeStream."""
        key = TxKey(message.channel_id, message.txid)
        lane = self._lane_of(key)
        if lane is None:
            if message.type not in STARTS:
                # REGISTERED and READY; replies always find the lane that asked.
                await self._lanes[0].stream.send(message)
                return
            lane = await self._free_lane()
            lane.running.add(key)
        await lane.stream.send(message)

    async def close(self) -> None:
        """Close all streams."""
        for lane in tuple(self._lanes):
            await _close(lane)
        await self._release()

    def _lane_of(self, key: TxKey) -> _Lane | None:
        return next((lane for lane in self._lanes if key in lane.running), None)

    async def _free_lane(self) -> _Lane:
        idlest = min(self._lanes, key=lambda lane: len(lane.running))
        if not idlest.running or not self._several:
            return idlest
        if len(self._lanes) < MOST_LANES:
            return await self._open()
        silent = min(self._lanes, key=lambda lane: lane.heard)
        if self._clock() - silent.heard < SILENT_SECONDS:
            return idlest
        # An exception in a Python chaincode leaves its transaction without an answer for ever.
        fresh = await self._open()
        self._lanes.remove(silent)
        await _close(silent)
        return fresh

    async def _open(self) -> _Lane:
        stream = await self._dial()
        try:
            if await stream.receive() is None:
                raise StreamLost("the chaincode server closes its streams")
            for kind in (ChaincodeMessage.REGISTERED, ChaincodeMessage.READY):
                await stream.send(ChaincodeMessage(type=kind))
        except BaseException:
            await stream.close()
            raise
        lane = _Lane(stream, self._clock())
        lane.reader = asyncio.create_task(self._read(lane))
        self._lanes.append(lane)
        return lane

    async def _read(self, lane: _Lane) -> None:
        """Pass on what this lane says; its end is the end of all."""
        try:
            while (message := await lane.stream.receive()) is not None:
                lane.heard = self._clock()
                self._settle(lane, message)
                await self._incoming.put(message)
            await self._incoming.put(None)
        except StreamEnded as ended:
            await self._incoming.put(ended)

    def _settle(self, lane: _Lane, message: ChaincodeMessage) -> None:
        if message.type in FINALS:
            # An ERROR of the Python shim may lack the channel.
            lane.running -= {
                key
                for key in lane.running
                if key.tx_id == message.txid and message.channel_id in {"", key.channel_id}
            }


async def _close(lane: _Lane) -> None:
    if lane.reader is not None:
        lane.reader.cancel()
        await asyncio.gather(lane.reader, return_exceptions=True)
    await lane.stream.close()
