"""Talking to one orderer: broadcasting envelopes and reading blocks (fabric-wire.md §5.2)."""

from __future__ import annotations

import asyncio
import contextlib
from types import TracebackType
from typing import Self

import grpc.aio
from fabric_protos.common.common_pb2 import Block, Envelope, Status
from fabric_protos.orderer.ab_pb2 import BroadcastResponse, DeliverResponse

from treadle_fabric.client.connection import Connection, translated
from treadle_fabric.client.endpoints import Endpoint
from treadle_fabric.client.errors import BroadcastRefused, ClientError, StreamClosed
from treadle_fabric.client.streams import DeliverStream


class OrdererConnection:
    """A connection to an ordering node (7050); use it as an async context manager."""

    def __init__(self, endpoint: Endpoint) -> None:
        self.endpoint = endpoint
        self._connection = Connection(endpoint)

    async def wait_ready(self, *, within: float = 3.0, fail_fast: bool = False) -> None:
        """Connect within *within* seconds; raises ConnectionFailed."""
        await self._connection.wait_ready(within=within, fail_fast=fail_fast)

    async def broadcast(self, envelope: Envelope, *, within: float = 30.0) -> None:
        """Hand *envelope* over for ordering.

        Returns when the orderer accepted it, which is not yet a commit. Raises BroadcastRefused
        with the orderer's words, CallFailed or DeadlinePassed.
        """
        call = self._connection.stream("/orderer.AtomicBroadcast/Broadcast", BroadcastResponse)
        source = f"the orderer {self.endpoint.address}"
        try:
            response = await translated(
                _exchange(call, envelope), waiting_for=source, within=within
            )
        finally:
            call.cancel()
        if response is None:
            raise StreamClosed(f"{source} ended the stream without an answer")
        if response.status != Status.SUCCESS:
            raise BroadcastRefused(response.status, response.info)

    def deliver(self) -> DeliverStream[Block]:
        """Open a stream of blocks (Channel Readers)."""
        call = self._connection.stream("/orderer.AtomicBroadcast/Deliver", DeliverResponse)
        return DeliverStream(call, unwrap=_block, source=f"blocks of {self.endpoint.address}")

    async def close(self) -> None:
        """Close the connection; streams end."""
        await self._connection.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()


async def _exchange(
    call: grpc.aio.StreamStreamCall[Envelope, BroadcastResponse], envelope: Envelope
) -> BroadcastResponse | None:
    # A server that ended the stream first makes writing fail; reading says how it ended.
    with contextlib.suppress(asyncio.InvalidStateError):
        await call.write(envelope)
    answer = await call.read()
    return answer if isinstance(answer, BroadcastResponse) else None


def _block(response: DeliverResponse) -> Block | int:
    kind = response.WhichOneof("Type")
    if kind == "block":
        return response.block
    if kind != "status":
        raise ClientError(f"received unexpected response type ({kind})")
    return response.status
