"""The deliver loop of peers and orderers: seek requests in, marshalled responses out (§5.7)."""

from __future__ import annotations

import logging
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from fabric_protos.common.common_pb2 import Envelope, Status
from treadle_fabric.policy import SignedData
from treadle_fabric.wire import UnpackedPayload

from treadle_peer.logs import Repeats
from treadle_peer.services.deliver.responses import Content, block_response, status_response
from treadle_peer.services.deliver.seek import (
    Action,
    DeliverCursor,
    DeliverRefused,
    parse_seek_info,
    unpack_seek,
)
from treadle_peer.services.metrics import DeliverMetrics

_log = logging.getLogger(__name__)


class AccessDenied(Exception):
    """The client may not read the channel; the text says why."""


class BlockSource(Protocol):
    """One channel's blocks, of a ledger or of the ordering."""

    @property
    def height(self) -> int:
        """How many blocks there are."""

    @property
    def config_sequence(self) -> int:
        """Sequence of the configuration in force."""

    def block_bytes(self, number: int) -> bytes:
        """The marshalled block *number*, which exists."""

    async def height_reached(self, height: int) -> None:
        """Return once there are at least *height* blocks."""

    def check_access(self, signed: SignedData, content: Content) -> datetime | None:
        """When the signer's certificate expires, if ever; raises AccessDenied."""


@dataclass(frozen=True, slots=True)
class ClientInfo:
    """Who asks. ``certificate_hash`` is the SHA-256 of its TLS certificate under mutual TLS.

    ``admitted`` is called once it has asked for something that it may read.
    """

    address: str
    certificate_hash: bytes | None = None
    admitted: Callable[[], None] = lambda: None


class _Access:
    """A client's right to read, judged again when the configuration changes or time passes."""

    def __init__(self, source: BlockSource, signed: SignedData, content: Content) -> None:
        self._source = source
        self._signed = signed
        self._content = content
        self._sequence: int | None = None
        self._expires: datetime | None = None

    def evaluate(self, now: float) -> None:
        """Raises DeliverRefused with FORBIDDEN."""
        if self._expires is not None and now > self._expires.timestamp():
            raise DeliverRefused(Status.FORBIDDEN, "deliver client identity expired")
        sequence = self._source.config_sequence
        if sequence == self._sequence:
            return
        try:
            self._expires = self._source.check_access(self._signed, self._content)
        except AccessDenied as error:
            raise DeliverRefused(Status.FORBIDDEN, str(error)) from error
        self._sequence = sequence
        if self._expires is not None and now > self._expires.timestamp():
            raise DeliverRefused(Status.FORBIDDEN, "deliver client identity expired")


class DeliverService:
    """Serves blocks of the channels that *find* knows."""

    def __init__(
        self,
        find: Callable[[str], BlockSource | None],
        *,
        window: float,
        metrics: DeliverMetrics,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._find = find
        self._window = window
        self._metrics = metrics
        self._clock = clock
        self._repeats = Repeats(_log)

    async def serve(
        self, requests: AsyncIterator[Envelope], *, content: Content, client: ClientInfo
    ) -> AsyncIterator[bytes]:
        """One stream: every request is answered by blocks and a status; any status but SUCCESS
        ends the stream (with gRPC's OK)."""
        self._metrics.streams_opened.inc()
        try:
            async for envelope in requests:
                try:
                    async for response in self._answer(envelope, content, client):
                        yield response
                        del response  # a large one must not wait for the next
                except DeliverRefused as refusal:
                    level = logging.DEBUG if refusal.status == Status.NOT_FOUND else logging.WARNING
                    text = f"deliver to {client.address} refused: {refusal}"
                    self._repeats.log(level, text)
                    yield status_response(refusal.status)
                    return
                yield status_response(Status.SUCCESS)
        finally:
            self._metrics.streams_closed.inc()

    async def _answer(
        self, envelope: Envelope, content: Content, client: ClientInfo
    ) -> AsyncIterator[bytes]:
        payload = unpack_seek(
            envelope,
            now=self._clock(),
            window=self._window,
            certificate_hash=client.certificate_hash,
        )
        source = self._find(payload.channel_id)
        if source is None:
            raise DeliverRefused(Status.NOT_FOUND, f"channel {payload.channel_id} not found")
        labels = (payload.channel_id, str(content is Content.FILTERED).lower(), content.value)
        self._metrics.requests_received.labels(*labels).inc()
        success = False
        try:
            async for response in self._blocks(source, envelope, payload, content, client):
                yield response
                del response
                self._metrics.blocks_sent.labels(*labels).inc()
            success = True
        finally:
            self._metrics.requests_completed.labels(*labels, str(success).lower()).inc()

    async def _blocks(
        self,
        source: BlockSource,
        envelope: Envelope,
        payload: UnpackedPayload,
        content: Content,
        client: ClientInfo,
    ) -> AsyncIterator[bytes]:
        seek = parse_seek_info(payload)
        signed = SignedData(
            data=envelope.payload, identity=payload.creator, signature=envelope.signature
        )
        access = _Access(source, signed, content)
        access.evaluate(self._clock())
        client.admitted()
        cursor = DeliverCursor(seek, source.height)
        while True:
            step = cursor.step(source.height)
            if step.action is Action.WAIT:
                await source.height_reached(step.number + 1)
            elif step.action is Action.SEND:
                access.evaluate(self._clock())
                yield block_response(source.block_bytes(step.number), content)
                cursor.sent()
            elif step.status != Status.SUCCESS:
                raise DeliverRefused(step.status, "the block does not exist yet")
            else:
                return
