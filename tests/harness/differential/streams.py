"""A stream of a conversation: what is said and heard on it, recorded under one source."""

from __future__ import annotations

import asyncio
from typing import Any

import grpc
from google.protobuf.message import Message
from harness.differential.events import Event, Recording

PATIENCE = 20.0  # seconds for an answer that must come
QUIET = 0.4  # seconds after which nothing counts as silence
LEFT_OVER = 0.1  # seconds in which whatever is on its way at the end must come


class Line:
    """One bidirectional gRPC stream; every message read goes into the recording."""

    def __init__(self, call: Any, source: str, recording: Recording) -> None:
        self._call = call
        self._source = source
        self._recording = recording
        self._reading: asyncio.Task[Any] | None = None
        self._over = False

    async def say(self, message: Message) -> None:
        """Send *message*."""
        await self._call.write(message)

    async def hear(self, hint: str = "") -> Any:
        """The next message, recorded; None when the stream has ended, which is recorded too."""
        message = await self.read(PATIENCE)
        if message is None:
            await self._record_end()
            return None
        self._record(message, hint)
        return message

    async def hear_nothing(self, seconds: float = QUIET) -> None:
        """Record a silence; or, when something comes meanwhile, that."""
        try:
            message = await self.read(seconds)
        except TimeoutError:
            self._recording.events.append(Event(source=self._source, kind="silence"))
            return
        if message is None:
            await self._record_end()
        else:
            self._record(message, "")

    async def hear_end(self) -> None:
        """Hear whatever comes until the stream ends."""
        while await self.hear() is not None:
            pass

    async def finish(self) -> None:
        """Say that nothing more will be said."""
        await self._call.done_writing()

    def hang_up(self) -> None:
        """Cancel the stream."""
        self._over = True
        self._call.cancel()

    async def hear_left_over(self) -> None:
        """Record what the script has not read, and hang up."""
        while not self._over:
            try:
                message = await self.read(LEFT_OVER)
            except TimeoutError:
                break
            if message is None:
                await self._record_end()
            else:
                self._record(message, "")
        self.hang_up()

    async def read(self, seconds: float) -> Any:
        """The next message, unrecorded; None at the end of the stream; raises TimeoutError."""
        # A read that timed out goes on: what it gets belongs to the next one.
        if self._reading is None:
            self._reading = asyncio.ensure_future(self._call.read())
        done, _ = await asyncio.wait([self._reading], timeout=seconds)
        if not done:
            raise TimeoutError(f"{self._source}: nothing heard within {seconds:g} s")
        reading, self._reading = self._reading, None
        try:
            message = reading.result()
        except (grpc.aio.AioRpcError, asyncio.CancelledError):
            message = grpc.aio.EOF
        self._over = self._over or message is grpc.aio.EOF
        return None if message is grpc.aio.EOF else message

    def _record(self, message: Message, hint: str) -> None:
        self._recording.events.append(
            Event(
                source=self._source,
                kind="message",
                type=message.DESCRIPTOR.full_name,
                data=message.SerializeToString(),
                hint=hint,
            )
        )

    async def _record_end(self) -> None:
        code, details = await self._call.code(), await self._call.details()
        self._recording.events.append(
            Event(source=self._source, kind="end", code=code.name, details=details or "")
        )
