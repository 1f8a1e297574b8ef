"""Messages that wait for one writer: a stream allows a single writer, and it may be slow.

Everyone who produces work for the stream first awaits ``space``; so a chaincode that does not read
costs a bounded amount of memory: the high-water mark and one message more.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable

from fabric_protos.peer.chaincode_shim_pb2 import ChaincodeMessage

from treadle_peer.chaincode.errors import Ending, StreamEnded, StreamLost

HIGH_WATER_BYTES = 4 * 1024 * 1024
HIGH_WATER_MESSAGES = 1024


class Outbox:
    """Bounded queue of outgoing messages.

    *stall_timeout* (seconds) is how long others wait for space while not one message leaves,
    before ``space`` raises StreamEnded; ``None`` waits for ever (a process stopped in a debugger).
    """

    def __init__(
        self,
        *,
        stall_timeout: float | None = None,
        high_water_bytes: int = HIGH_WATER_BYTES,
        high_water_messages: int = HIGH_WATER_MESSAGES,
    ) -> None:
        self.stall_timeout = stall_timeout
        self._high_water_bytes = high_water_bytes
        self._high_water_messages = high_water_messages
        self._queue: deque[ChaincodeMessage] = deque()
        self._bytes = 0
        self._sent = 0
        self._filled = asyncio.Event()
        self._space = asyncio.Event()
        self._space.set()
        self._closed = False

    @property
    def full(self) -> bool:
        """Whether producers have to wait."""
        return (
            self._bytes >= self._high_water_bytes or len(self._queue) >= self._high_water_messages
        )

    def put(self, message: ChaincodeMessage) -> None:
        """Queue *message*; a closed outbox drops it."""
        if self._closed:
            return
        self._queue.append(message)
        self._bytes += message.ByteSize()
        self._filled.set()
        if self.full:
            self._space.clear()

    async def space(self) -> None:
        """Return when a message may be put; raises StreamEnded when the stream is over or stuck."""
        while self.full and not self._closed:
            await self._progress()
        if self._closed:
            raise StreamLost("the stream has ended")

    async def drain(self, send: Callable[[ChaincodeMessage], Awaitable[None]]) -> None:
        """Send messages in order, for ever; raises what *send* raises."""
        while True:
            await self._filled.wait()
            while self._queue:
                # The message counts until it is handed over: it still occupies memory.
                size = self._queue[0].ByteSize()
                await send(self._queue[0])
                self._queue.popleft()
                self._bytes -= size
                self._sent += 1
                if not self.full:
                    self._space.set()
            self._filled.clear()

    def close(self) -> None:
        """Drop what waits and release everyone. Idempotent."""
        self._closed = True
        self._queue.clear()
        self._bytes = 0
        self._space.set()

    async def _progress(self) -> None:
        sent = self._sent
        try:
            async with asyncio.timeout(self.stall_timeout):
                await self._space.wait()
        except TimeoutError:
            if self._sent == sent and not self._closed:
                raise StreamEnded(self._stalled(), Ending.RESOURCE_EXHAUSTED) from None

    def _stalled(self) -> str:
        return (
            f"the chaincode does not read: {len(self._queue)} messages ({self._bytes} bytes)"
            f" wait for it and none left within {self.stall_timeout:g} s"
        )
