"""Reading blocks from the Deliver services of peers and orderers (fabric-wire.md §5.7)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from types import TracebackType
from typing import Any, Generic, Self, TypeVar

import grpc.aio
from fabric_protos.common.common_pb2 import Envelope, Status

from treadle_fabric.client.connection import translated
from treadle_fabric.client.errors import DeliverRefused, StreamClosed

_T = TypeVar("_T")


class DeliverStream(Generic[_T]):
    """One open deliver stream: seek requests go in, items of one kind come out.

    Made by the connections. ``unwrap`` turns a response into an item, or into the status that
    ends a request.
    """

    def __init__(
        self,
        call: grpc.aio.StreamStreamCall[Envelope, Any],
        *,
        unwrap: Callable[[Any], _T | int],
        source: str,
    ) -> None:
        self._call = call
        self._unwrap = unwrap
        self._source = source

    async def seek(self, request: Envelope, *, within: float) -> None:
        """Ask for blocks with a signed seek request; several may follow each other."""
        try:
            await translated(
                self._call.write(request),
                waiting_for=f"{self._source} to accept a request",
                within=within,
            )
        except asyncio.InvalidStateError:
            # The server ended the stream already: reading says with which status.
            await self.read(within=within)

    async def read(self, *, within: float | None) -> _T | None:
        """The next item; None when the request is served completely.

        *within* in seconds, None to wait for ever; a deadline that passes ends the stream.
        Raises DeliverRefused, StreamClosed, DeadlinePassed or CallFailed.
        """
        response = await translated(self._call.read(), waiting_for=self._source, within=within)
        if response is grpc.aio.EOF:
            raise StreamClosed(f"the stream from {self._source} ended")
        item = self._unwrap(response)
        if not isinstance(item, int):
            return item
        if item != Status.SUCCESS:
            raise DeliverRefused(item)
        return None

    async def items(self, *, within: float | None = None) -> AsyncIterator[_T]:
        """All items until the request is served; *within* applies to each."""
        while (item := await self.read(within=within)) is not None:
            yield item

    def close(self) -> None:
        """End the stream; harmless when it has ended."""
        self._call.cancel()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
