"""AtomicBroadcast's Broadcast: envelopes in, one response each (fabric-wire.md §5.2)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Protocol

from fabric_protos.common.common_pb2 import Envelope, Status
from fabric_protos.orderer.ab_pb2 import BroadcastResponse

from treadle_peer.order import BroadcastResult
from treadle_peer.services.metrics import BroadcastMetrics


class Orderer(Protocol):
    """Whoever accepts envelopes."""

    async def broadcast(self, envelope: Envelope) -> BroadcastResult:
        """Check and queue one envelope."""


class BroadcastService:
    """Serves Broadcast streams."""

    def __init__(self, orderer: Orderer, metrics: BroadcastMetrics) -> None:
        self._orderer = orderer
        self._metrics = metrics

    async def serve(self, requests: AsyncIterator[Envelope]) -> AsyncIterator[BroadcastResponse]:
        """One response per envelope, in order; the first refusal ends the stream (trap 64)."""
        async for envelope in requests:
            result = await self._orderer.broadcast(envelope)
            del envelope  # a large one must not wait for the next
            self._record(result)
            yield BroadcastResponse(status=result.status, info=result.info)
            if result.status != Status.SUCCESS:
                return

    def _record(self, result: BroadcastResult) -> None:
        labels = (Status.Name(result.status), result.channel_id, result.type_name)
        self._metrics.processed.labels(*labels).inc()
        self._metrics.validate_duration.labels(*labels).observe(result.check_seconds)
        self._metrics.enqueue_duration.labels(*labels).observe(result.queue_seconds)
