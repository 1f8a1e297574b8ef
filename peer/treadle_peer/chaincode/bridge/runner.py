"""The bridge's asyncio shell: pumps between a chaincode stream and a peer that is dialled anew."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass

from treadle_peer.chaincode.bridge.fan import Fan, FanEffect
from treadle_peer.chaincode.bridge.link import Record, ToPeer, ToShim
from treadle_peer.chaincode.bridge.records import TransactionRecord
from treadle_peer.chaincode.errors import StreamEnded, StreamLost
from treadle_peer.chaincode.outbox import Outbox
from treadle_peer.chaincode.streams import ChaincodeStream, ClosableStream

log = logging.getLogger(__name__)

Dial = Callable[[], Awaitable[ClosableStream]]
"""Open a stream; raises StreamLost when the other end cannot be reached."""


class Backoff:
    """Delays between attempts, in seconds: doubling from *first* to *longest*."""

    def __init__(self, *, first: float = 0.2, longest: float = 5.0) -> None:
        self._first = first
        self._longest = longest
        self._next = first

    def reset(self) -> None:
        """The last attempt worked."""
        self._next = self._first

    async def wait(self) -> None:
        """Wait before the next attempt."""
        delay, self._next = self._next, min(self._longest, self._next * 2)
        await asyncio.sleep(delay)


class _Story:
    """Tells the log how dialling one side goes: each reason once, and when it works again."""

    def __init__(self, who: str) -> None:
        self._who = who
        self._told: str | None = None

    def failed(self, reason: StreamEnded) -> None:
        if reason.sentence != self._told:
            self._told = reason.sentence
            log.warning("%s: %s; trying again", self._who, reason)

    def worked(self) -> None:
        if self._told is not None:
            self._told = None
            log.info("%s: connected", self._who)


@dataclass(frozen=True, slots=True)
class _Side:
    """One of the peers."""

    index: int
    dial: Dial
    story: _Story
    backoff: Backoff


class Bridge:
    """Joins chaincode streams to one peer or to several.

    *peers* opens a Register stream to each, by the name that the log calls it.
    *on_transaction* gets a record of each transaction.
    """

    def __init__(
        self,
        *,
        peers: Mapping[str, Dial],
        on_transaction: Callable[[TransactionRecord], None] | None = None,
        backoff: Callable[[], Backoff] = Backoff,
    ) -> None:
        self._peers = dict(peers)
        self._on_transaction = on_transaction
        self._backoff = backoff

    async def serve(self, shim: ChaincodeStream) -> None:
        """Serve one chaincode stream to its end.

        Returns when the chaincode closes it. Raises StreamEnded with the peer's own sentence when
        a peer refuses the chaincode for good (``code.final``), or when the shim's stream breaks.
        """
        joined = _Joined(shim, self._peers, self._on_transaction, self._backoff)
        await joined.run()

    async def serve_dialled(self, dial_server: Dial) -> None:
        """Dial a chaincode server and serve it, for ever: also when its process restarts.

        Raises StreamEnded when the peer refuses it for good.
        """
        backoff, story = self._backoff(), _Story("chaincode server")
        while True:
            try:
                server = await dial_server()
            except StreamLost as lost:
                story.failed(lost)
                await backoff.wait()
                continue
            backoff.reset()
            story.worked()
            try:
                await self.serve(server)
            except StreamEnded as ended:
                if ended.code.final:
                    raise
                story.failed(ended)
            finally:
                await server.close()
            await backoff.wait()


class _Joined:
    """One chaincode stream with its current connections to the peers."""

    def __init__(
        self,
        shim: ChaincodeStream,
        peers: Mapping[str, Dial],
        on_transaction: Callable[[TransactionRecord], None] | None,
        backoff: Callable[[], Backoff],
    ) -> None:
        self._shim = shim
        self._on_transaction = on_transaction
        self._fan = Fan(len(peers), clock=time.monotonic)
        self._registered = asyncio.Event()
        self._to_shim = Outbox()
        self._to_peers: dict[int, Outbox] = {}
        self._sides = [
            _Side(index, dial, _Story(name), backoff())
            for index, (name, dial) in enumerate(peers.items())
        ]

    async def run(self) -> None:
        try:
            await first_of(
                self._read_shim(),
                self._to_shim.drain(self._shim.send),
                *(self._keep_peer(side) for side in self._sides),
            )
        finally:
            self._to_shim.close()

    async def _read_shim(self) -> None:
        while (message := await self._shim.receive()) is not None:
            self._apply(self._fan.from_shim(message))
            if self._fan.registered:
                self._registered.set()
            await self._to_shim.space()
            await self._peer_space()

    async def _peer_space(self) -> None:
        for outbox in tuple(self._to_peers.values()):
            # A peer that went away meanwhile: its messages are gone, the shim's stream goes on.
            with contextlib.suppress(StreamLost):
                await outbox.space()

    async def _keep_peer(self, side: _Side) -> None:
        await self._registered.wait()
        while True:
            try:
                await self._one_connection(side)
            except StreamEnded as ended:
                if ended.code.final:
                    raise
                side.story.failed(ended)
            await side.backoff.wait()

    async def _one_connection(self, side: _Side) -> None:
        peer = await side.dial()
        outbox = Outbox()
        self._to_peers[side.index] = outbox
        try:
            self._apply(self._fan.peer_up(side.index))
            await first_of(self._read_peer(side, peer), outbox.drain(peer.send))
        finally:
            del self._to_peers[side.index]
            outbox.close()
            self._apply(self._fan.peer_down(side.index))
            await peer.close()

    async def _read_peer(self, side: _Side, peer: ChaincodeStream) -> None:
        while (message := await peer.receive()) is not None:
            side.backoff.reset()
            side.story.worked()
            self._apply(self._fan.from_peer(side.index, message))
            await self._to_shim.space()

    def _apply(self, effects: Iterable[FanEffect]) -> None:
        for index, effect in effects:
            match effect:
                case ToShim(message):
                    self._to_shim.put(message)
                case ToPeer(message):
                    if index in self._to_peers:
                        self._to_peers[index].put(message)
                case Record(record):
                    if self._on_transaction is not None:
                        self._on_transaction(record)


async def first_of(*works: Awaitable[None]) -> None:
    """Run all, end with the first: return or raise what it does, after the others have stopped."""
    tasks = [asyncio.ensure_future(work) for work in works]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        next(task for task in tasks if task.done()).result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
