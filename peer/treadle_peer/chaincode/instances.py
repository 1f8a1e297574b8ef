"""One connected chaincode: the I/O shell around a session.

A reader task feeds the session, a writer task drains the outbox, callee tasks run what the
chaincode invokes, one timer watches the deadlines. All of them end with ``run``.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Iterable, Sequence
from typing import Protocol

from fabric_protos.peer.chaincode_shim_pb2 import ChaincodeMessage

from treadle_peer.chaincode.errors import StreamEnded
from treadle_peer.chaincode.observing import Observer, StreamMeter
from treadle_peer.chaincode.outbox import Outbox
from treadle_peer.chaincode.session import (
    TERMINATED,
    TIMED_OUT,
    CancelInvoke,
    Effect,
    Failed,
    Finished,
    Invoke,
    Register,
    Send,
    Session,
    TxKey,
)
from treadle_peer.chaincode.streams import ChaincodeStream, StreamPeer
from treadle_peer.chaincode.turns import FREE_BYTES, SECONDS_PER_BYTE, Turn, Turns
from treadle_peer.execution import Call, ChaincodeInvoker, ExecutionError

log = logging.getLogger(__name__)


class Hooks(Protocol):
    """What an instance tells the one who serves it."""

    def registering(self, ccid: str) -> None:
        """Call ``admit`` at once or later, or raise RegistrationRefused."""

    def ended(self) -> None:
        """The stream takes no transactions any more; called once."""


class Instance:
    """One chaincode process, as the peer sees it."""

    def __init__(
        self,
        *,
        stream: ChaincodeStream,
        caller: StreamPeer,
        invoker: ChaincodeInvoker,
        session: Session,
        outbox: Outbox,
        observer: Observer,
        turns: Turns,
    ) -> None:
        self.caller = caller
        self.admitted = False
        self._stream = stream
        self._invoker = invoker
        self._session = session
        self._outbox = outbox
        self._observer = observer
        self._meter = StreamMeter(observer)
        self._turn = Turn(turns)
        self._answers: dict[TxKey, asyncio.Future[ChaincodeMessage]] = {}
        self._callees: dict[int, asyncio.Task[None]] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._loop = asyncio.get_running_loop()
        self._closing: asyncio.Future[None] = self._loop.create_future()
        self._last_words: StreamEnded | None = None
        self._hooks: Hooks | None = None

    @property
    def in_flight(self) -> int:
        """Number of transactions that the chaincode works on."""
        return self._session.in_flight

    def running(self, key: TxKey) -> bool:
        """Whether this transaction runs here."""
        return self._session.running(key)

    async def run(self, hooks: Hooks) -> None:
        """Serve the stream to its end.

        Returns when the chaincode closes the stream; raises StreamEnded for every other end.
        """
        self._hooks = hooks
        reader = asyncio.create_task(self._read())
        writer = asyncio.create_task(self._outbox.drain(self._send))
        ends: tuple[asyncio.Future[None], ...] = (self._closing, reader, writer)
        try:
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
            first = next(end for end in ends if end.done())
            first.result()
        finally:
            self._finish()
            await _cancelled([reader, writer, *self._callees.values()])

    def bound_stalls(self, seconds: float | None) -> None:
        """How long a full stream may stay unread before it is ended."""
        self._outbox.stall_timeout = seconds

    def admit(self) -> None:
        """Greet the chaincode; from here on it takes transactions."""
        self.admitted = True
        self._apply(self._session.admit())

    def close(self, reason: StreamEnded) -> None:
        """End the stream with *reason*; running transactions fail. Idempotent."""
        if not self._closing.done():
            self._closing.set_exception(reason)
            self._apply(self._session.end())

    def finish(self, reason: StreamEnded, *, within: float) -> None:
        """Close with *reason* once nothing runs, or after *within* seconds."""
        self._last_words = reason
        self._loop.call_later(within, self.close, reason)
        self._close_when_idle()

    def _close_when_idle(self) -> None:
        if self._last_words is not None and not self._answers:
            self.close(self._last_words)

    async def execute(self, call: Call, *, timeout_seconds: float | None) -> ChaincodeMessage:
        """The chaincode's final message for *call*.

        Raises ExecutionError with the cause alone (``timeout expired ..``). Cancelling frees the
        context; what the chaincode asks for it later is refused.
        """
        deadline = None if timeout_seconds is None else self._loop.time() + timeout_seconds
        if self._outbox.full:
            await self._space(deadline)
        key = TxKey(call.channel_id, call.tx_id)
        started = self._session.begin(call, deadline=deadline)
        answer: asyncio.Future[ChaincodeMessage] = self._loop.create_future()
        self._answers[key] = answer
        self._apply(started)
        self._arm_timer()
        try:
            return await answer
        except asyncio.CancelledError:
            if self._answers.pop(key, None) is not None:
                self._turn.forget(key)
                self._apply(self._session.abandon(key))
            raise
        finally:
            # It holds the error, whose traceback holds this frame: in a ring, all that the
            # transaction has collected would wait for the garbage collector.
            del answer
            self._close_when_idle()

    async def _space(self, deadline: float | None) -> None:
        try:
            async with asyncio.timeout_at(deadline):
                await self._outbox.space()
        except TimeoutError:
            self._observer.execution_timed_out(self._meter.ccid)
            raise ExecutionError(TIMED_OUT) from None
        except StreamEnded as ended:
            self.close(ended)
            raise ExecutionError(TERMINATED) from None

    async def _send(self, message: ChaincodeMessage) -> None:
        await self._stream.send(message)
        key = TxKey(message.channel_id, message.txid)
        if self._session.running(key):
            self._turn.asked(key)

    async def _read(self) -> None:
        reading = asyncio.create_task(self._next())
        try:
            while (taken := await reading) is not None:
                message, asked = taken
                reading = asyncio.create_task(self._next())
                await asyncio.sleep(0)  # what waits already is to come before the reply leaves
                if not asked:
                    await asyncio.sleep(self._turn.waits(self._meter.ccid, time.monotonic()))
                self._serve(message, asked=asked)
                del message, taken  # a large one must not wait for the next
                if self._outbox.full:
                    await self._outbox.space()
        finally:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)

    async def _next(self) -> tuple[ChaincodeMessage, bool] | None:
        """The next message, and whether it is free of charge; ``None`` at the end."""
        message = await self._stream.receive()
        if message is None:
            return None
        key = TxKey(message.channel_id, message.txid)
        asked = self._session.running(key) and self._turn.takes(key)
        return message, asked and len(message.payload) <= FREE_BYTES

    def _serve(self, message: ChaincodeMessage, *, asked: bool) -> None:
        """Take one message, and put down what it cost."""
        begun = time.monotonic()  # the loop's own clock stands still within a turn
        read = len(message.payload) * SECONDS_PER_BYTE
        self._receive(message)
        ended = time.monotonic()
        self._turn.spent(self._meter.ccid, asked=asked, begun=begun - read, ended=ended)

    def _receive(self, message: ChaincodeMessage) -> None:
        known = self._session.running(TxKey(message.channel_id, message.txid))
        effects = self._session.receive(message)
        if known:
            self._meter.received(message, now=self._loop.time())
        self._apply(effects)

    def _apply(self, effects: Sequence[Effect]) -> None:
        self._meter.applied(effects, now=self._loop.time())
        for effect in effects:
            match effect:
                case Send(message):
                    self._outbox.put(message)
                case Finished(key, message):
                    self._settle(key, message)
                case Failed(key, cause):
                    self._settle(key, ExecutionError(cause))
                case Invoke():
                    self._start_callee(effect)
                case CancelInvoke(token):
                    self._cancel_callee(token)
                case Register(ccid):
                    self._register(ccid)

    def _register(self, ccid: str) -> None:
        self._meter.ccid = ccid
        if self._hooks is not None:
            self._hooks.registering(ccid)

    def _settle(self, key: TxKey, result: ChaincodeMessage | ExecutionError) -> None:
        self._turn.forget(key)
        answer = self._answers.pop(key, None)
        if answer is None or answer.done():
            return
        if isinstance(result, ExecutionError):
            answer.set_exception(result)
        else:
            answer.set_result(result)

    def _start_callee(self, invoke: Invoke) -> None:
        task = self._callees[invoke.token] = asyncio.create_task(self._run_callee(invoke))
        task.add_done_callback(lambda _: self._callees.pop(invoke.token, None))

    def _cancel_callee(self, token: int) -> None:
        task = self._callees.get(token)
        if task is not None:
            task.cancel()

    async def _run_callee(self, invoke: Invoke) -> None:
        try:
            final = await self._invoker.invoke(invoke.call, invoke.spec)
            await self._outbox.space()
            self._apply(self._session.answer(invoke.token, final))
        except ExecutionError as failure:
            self._apply(self._session.refuse(invoke.token, str(failure)))
        except StreamEnded as ended:
            self.close(ended)
        except Exception:
            log.exception("[%s] INVOKE_CHAINCODE failed", invoke.call.tx_id[:8])
            self._apply(self._session.refuse(invoke.token, "panic during execution"))

    def _arm_timer(self) -> None:
        deadline = self._session.next_deadline()
        if deadline is None or (self._timer is not None and self._timer.when() <= deadline):
            return
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.call_at(deadline, self._expire)

    def _expire(self) -> None:
        self._timer = None
        self._apply(self._session.expire(self._loop.time()))
        self._arm_timer()

    def _finish(self) -> None:
        self._closing.cancel()
        self._outbox.close()
        if self._timer is not None:
            self._timer.cancel()
        self._apply(self._session.end())
        if self._hooks is not None:
            self._hooks.ended()


async def _cancelled(tasks: Iterable[asyncio.Task[None]]) -> None:
    """Cancel and wait; what they raise now is a consequence, not a cause."""
    pending = list(tasks)
    for task in pending:
        task.cancel()
    await asyncio.gather(*pending, return_exceptions=True)
