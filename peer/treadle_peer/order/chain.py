"""One channel's ordering: a queue, a worker that cuts, signs and stores, and who waits for it."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from dataclasses import replace
from datetime import UTC, datetime

from fabric_protos.common.common_pb2 import Block, Envelope, HeaderType, Status
from treadle_fabric.channelconfig import Bundle, ConfigError, propose_update
from treadle_fabric.wire import (
    SignerLike,
    block_frame,
    block_header_hash,
    build_envelope,
    last_config_index,
    marshal_block,
    parse,
    serialize,
    sign_block,
)

from treadle_peer.order.cutting import BatchLimits, cut_batch
from treadle_peer.order.envelopes import Submission
from treadle_peer.order.errors import BroadcastRefused
from treadle_peer.order.filters import check_size, check_submission, refusal_prefix
from treadle_peer.order.store import OrderStore
from treadle_peer.storage import StorageError

_log = logging.getLogger(__name__)

# Senders wait when this much is queued: about six full blocks.
_QUEUE_BYTES = 64 << 20


class Chain:
    """Orders one channel. Everything but the disk write happens on the event loop."""

    def __init__(self, channel_id: str, *, store: OrderStore, signer: SignerLike) -> None:
        self.channel_id = channel_id
        self._store = store
        self._signer = signer
        self._height = store.height(channel_id)
        tip = parse(Block, store.block_bytes(channel_id, self._height - 1))
        self._tip_hash = block_header_hash(tip.header)
        self._last_config = last_config_index(tip)
        self._bundle = self._read_bundle()
        self._pending: deque[Submission] = deque()
        self._pending_bytes = 0
        self._arrived = asyncio.Event()
        self._changed = asyncio.Event()
        self._stopping = False
        self._failure: str | None = None

    @property
    def height(self) -> int:
        """How many blocks are durable."""
        return self._height

    @property
    def bundle(self) -> Bundle:
        """The configuration in force."""
        return self._bundle

    @property
    def failure(self) -> str | None:
        """Why the chain accepts nothing any more, if so."""
        return self._failure

    def block_bytes(self, number: int) -> bytes:
        """A durable block, marshalled; raises StorageError when there is none."""
        return self._store.block_bytes(self.channel_id, number)

    async def height_reached(self, height: int) -> None:
        """Return once *height* blocks are durable."""
        while self._height < height:
            await self._changed.wait()

    def check(self, submission: Submission) -> None:
        """Whether *submission* may be ordered; raises BroadcastRefused."""
        if not submission.is_config_update:
            check_submission(submission, bundle=self._bundle, now=datetime.now(UTC))
            return
        prefix = "config update for existing channel did not pass initial checks"
        with refusal_prefix(prefix):
            check_submission(submission, bundle=self._bundle, now=datetime.now(UTC))
        self._propose(submission)

    async def enqueue(self, submission: Submission) -> None:
        """Queue a checked *submission*; raises BroadcastRefused when the chain takes no more.

        Returns when it is queued, as Fabric does; it is not yet durable then. Waits while the
        queue is full, so a fast sender slows down instead of filling the memory.
        """
        sequence = self._bundle.sequence
        while self._pending_bytes > _QUEUE_BYTES and self._refusal() is None:
            await self._changed.wait()
        refusal = self._refusal()
        if refusal is not None:
            raise BroadcastRefused(Status.SERVICE_UNAVAILABLE, refusal)
        self._pending.append(replace(submission, sequence=sequence))
        self._pending_bytes += submission.size
        self._arrived.set()

    async def run(self) -> None:
        """Cut and store blocks until ``stop`` was called and the queue is empty."""
        try:
            await self._run()
        except Exception as error:
            _log.exception("ordering channel %s", self.channel_id)
            self._fail(f"{type(error).__name__}: {error}")

    async def _run(self) -> None:
        while True:
            await self._arrived.wait()
            while self._pending and self._failure is None:
                await self._next_block()
            if self._stopping or self._failure is not None:
                return
            self._arrived.clear()

    def stop(self) -> None:
        """Accept nothing more; ``run`` ends after what was accepted is stored."""
        self._stopping = True
        self._arrived.set()
        self._announce()

    def _refusal(self) -> str | None:
        if self._stopping:
            return "the ordering is stopping"
        return self._failure

    async def _next_block(self) -> None:
        orderer = self._bundle.orderer
        limits = BatchLimits(orderer.max_message_count, orderer.preferred_max_bytes)
        batch = cut_batch(self._pending, limits)
        self._pending_bytes -= sum(each.size for each in batch)
        if batch[0].is_config_update:
            await self._store_config(batch[0])
            return
        data = [serialize(each.envelope) for each in batch if self._still_valid(each)]
        del batch  # large envelopes are not kept in two forms while the disk works
        await self._store_normal(data)

    async def _store_normal(self, data: list[bytes]) -> None:
        if data:
            await self._append(data, self._last_config)
        else:
            self._announce()

    async def _store_config(self, submission: Submission) -> None:
        try:
            # Proposed again: an earlier update in the queue may have changed what it builds on.
            envelope, bundle = self._propose(submission)
        except BroadcastRefused as error:
            _log.warning("channel %s: dropped a config update: %s", self.channel_id, error)
            self._announce()
            return
        if await self._append([serialize(envelope)], self._height):
            # Nothing was awaited since the new height: no reader sees it with the old bundle.
            self._bundle = bundle
            _log.info("channel %s: configuration %d", self.channel_id, bundle.sequence)

    def _still_valid(self, submission: Submission) -> bool:
        if submission.sequence == self._bundle.sequence:
            return True
        try:
            check_submission(submission, bundle=self._bundle, now=datetime.now(UTC))
        except BroadcastRefused as error:
            _log.warning("channel %s: dropped an envelope: %s", self.channel_id, error)
            return False
        return True

    def _propose(self, submission: Submission) -> tuple[Envelope, Bundle]:
        """The CONFIG envelope that *submission* leads to, signed by the ordering; its bundle."""
        try:
            proposed = propose_update(self._bundle, submission.envelope)
            bundle = Bundle.from_config(self.channel_id, proposed.config)
        except ConfigError as error:
            raise BroadcastRefused(
                Status.BAD_REQUEST,
                f"error applying config update to existing channel '{self.channel_id}': {error}",
            ) from error
        envelope = build_envelope(
            signer=self._signer,
            header_type=HeaderType.CONFIG,
            channel_id=self.channel_id,
            data=serialize(proposed),
        )
        with refusal_prefix("config update for existing channel did not pass final checks"):
            check_size(envelope, bundle=self._bundle)
        return envelope, bundle

    async def _append(self, data: list[bytes], last_config: int) -> bool:
        """Sign and store the next block; False, and the end of the chain, when the disk fails.

        Takes the marshalled envelopes out of *data*.
        """
        number = self._height
        frame = block_frame(number, self._tip_hash, data)
        sign_block(frame, signer=self._signer, last_config=last_config)
        block = marshal_block(frame, data)
        data.clear()
        try:
            await asyncio.to_thread(self._store.append, self.channel_id, number, block)
        except StorageError as error:
            # Whether the block reached the disk is unknown: writing on could cut it twice.
            self._fail(str(error))
            return False
        self._tip_hash = block_header_hash(frame.header)
        self._last_config = last_config
        self._height = number + 1
        self._announce()
        return True

    def _read_bundle(self) -> Bundle:
        return Bundle.from_block(parse(Block, self.block_bytes(self._last_config)))

    def _fail(self, reason: str) -> None:
        self._failure = f"the ordering of channel {self.channel_id} failed: {reason}"
        _log.error("%s; restart the peer when the cause is gone", self._failure)
        self._announce()

    def _announce(self) -> None:
        # Replaced, never cleared: every waiter holds the event that is set here.
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()
