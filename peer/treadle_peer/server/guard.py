"""What surrounds every gRPC handler: concurrency limit, metrics, and the end of streams."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from typing import TypeVar

import grpc
import grpc.aio

from treadle_peer.services.metrics import GrpcMetrics

_Input = TypeVar("_Input")  # one request, or the iterator of many
_Request = TypeVar("_Request")
_Response = TypeVar("_Response")

UnaryHandler = Callable[
    [_Input, "grpc.aio.ServicerContext[_Request, _Response]"], Awaitable[_Response]
]
StreamHandler = Callable[
    [_Input, "grpc.aio.ServicerContext[_Request, _Response]"], AsyncIterator[_Response]
]

_STOPPING = "the peer is stopping"
_DISPLACED = "too many streams: this one had not asked for anything yet and made room for another"


class StreamSet:
    """The streams of one listener, so that a stop can end those that would wait for ever."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[object]] = set()
        self.ending = False

    def enter(self) -> None:
        """The current task serves a stream."""
        task = asyncio.current_task()
        if task is not None:
            self._tasks.add(task)

    def leave(self) -> None:
        """The current task's stream is over."""
        task = asyncio.current_task()
        if task is not None:
            self._tasks.discard(task)

    def end(self) -> None:
        """End all streams with UNAVAILABLE."""
        self.ending = True
        for task in tuple(self._tasks):
            task.cancel()


class Guard:
    """Wraps the handlers of one gRPC service. ``limit`` 0 means unbounded, as in Fabric."""

    def __init__(
        self, service: str, *, metrics: GrpcMetrics, streams: StreamSet, limit: int = 0
    ) -> None:
        self._service = service
        self._label = service.replace(".", "_")  # as in Fabric's metrics
        self._metrics = metrics
        self._streams = streams
        self._limit = limit
        self._running = 0
        self._unproven: dict[asyncio.Task[object], None] = {}
        self._displaced: set[asyncio.Task[object]] = set()
        self._working: set[asyncio.Task[object]] = set()

    def unary(
        self, method: str, handler: UnaryHandler[_Input, _Request, _Response]
    ) -> UnaryHandler[_Input, _Request, _Response]:
        """*handler* with limit and metrics; it works on when its client has gone, as in Fabric.

        So a chaincode at a breakpoint keeps its transaction, which counts until its end.
        """

        async def serve(
            request: _Input, context: grpc.aio.ServicerContext[_Request, _Response]
        ) -> _Response:
            started, code = time.monotonic(), "Unknown"
            try:
                response = await handler(request, context)
                code = "OK"
                return response
            finally:
                self._running -= 1
                labels = (self._label, method, code)
                self._metrics.unary_completed.labels(*labels).inc()
                self._metrics.unary_duration.labels(*labels).observe(time.monotonic() - started)

        async def guarded(
            request: _Input, context: grpc.aio.ServicerContext[_Request, _Response]
        ) -> _Response:
            self._metrics.unary_received.labels(self._label, method).inc()
            await self._enter(context)
            return await self._to_the_end(serve(request, context))

        return guarded

    def stream(
        self, method: str, handler: StreamHandler[_Input, _Request, _Response]
    ) -> StreamHandler[_Input, _Request, _Response]:
        """*handler* with limit and metrics, ended when the listener stops.

        At the limit a new stream displaces the oldest one that is not ``proven``, if any.
        """

        async def guarded(
            requests: _Input,
            context: grpc.aio.ServicerContext[_Request, _Response],
        ) -> AsyncIterator[_Response]:
            self._metrics.stream_received.labels(self._label, method).inc()
            self._make_room()
            await self._enter(context)
            self._streams.enter()
            task = asyncio.current_task()
            if task is not None:
                self._unproven[task] = None
            code = "Unknown"
            try:
                async for response in handler(requests, context):
                    yield response
                    del response  # a large one must not wait for the next
                code = "OK"
            except asyncio.CancelledError:
                code = "Canceled"
                if task in self._displaced:
                    await context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, _DISPLACED)
                if not self._streams.ending:
                    raise
                await context.abort(grpc.StatusCode.UNAVAILABLE, _STOPPING)
            finally:
                self._streams.leave()
                self._forget(task)
                self._metrics.stream_completed.labels(self._label, method, code).inc()

        return guarded

    def proven(self) -> None:
        """The current stream has asked for something that it may have: it keeps its place."""
        task = asyncio.current_task()
        if task is not None:
            self._unproven.pop(task, None)

    async def _to_the_end(self, work: Coroutine[object, object, _Response]) -> _Response:
        """Await *work*, which goes on when the waiting is cancelled."""
        task = asyncio.create_task(work)
        self._working.add(task)  # the loop itself holds tasks weakly
        task.add_done_callback(self._working.discard)
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            # Nobody is left to tell how it ends.
            task.add_done_callback(lambda ended: ended.cancelled() or ended.exception())
            raise

    def _make_room(self) -> None:
        if not self._limit or self._running < self._limit or not self._unproven:
            return
        oldest = next(iter(self._unproven))
        del self._unproven[oldest]
        self._displaced.add(oldest)
        self._running -= 1
        oldest.cancel()

    def _forget(self, task: asyncio.Task[object] | None) -> None:
        """The stream of *task* is over; the place of a displaced one was given away before."""
        if task in self._displaced:
            self._displaced.remove(task)
            return
        self._running -= 1
        if task is not None:
            self._unproven.pop(task, None)

    async def _enter(self, context: grpc.aio.ServicerContext[_Request, _Response]) -> None:
        if self._limit and self._running >= self._limit:
            await context.abort(
                grpc.StatusCode.UNKNOWN,
                f"too many requests for /{self._service}, "
                f"exceeding concurrency limit ({self._limit})",
            )
        self._running += 1
