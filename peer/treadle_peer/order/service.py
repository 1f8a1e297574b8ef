"""The embedded ordering: all channels of one node (design: one node, no consensus)."""

from __future__ import annotations

import asyncio
import logging
import time
from dataclasses import dataclass
from types import TracebackType

from fabric_protos.common.common_pb2 import Block, Envelope, HeaderType, Status
from treadle_fabric.wire import SignerLike, channel_id_of, header_type_name, serialize

from treadle_peer.logs import Repeats
from treadle_peer.order.chain import Chain
from treadle_peer.order.creation import ChannelTemplate, block_from_creation
from treadle_peer.order.envelopes import Submission, read_submission
from treadle_peer.order.errors import BroadcastRefused, OrderingError
from treadle_peer.order.store import OrderStore
from treadle_peer.storage import StorageError

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class BroadcastResult:
    """The answer to one envelope, and what the metrics want to know about it."""

    status: Status.ValueType
    info: str = ""
    channel_id: str = "unknown"
    type_name: str = "unknown"
    check_seconds: float = 0.0
    queue_seconds: float = 0.0


class _Watch:
    """Seconds of checking and of queueing."""

    def __init__(self) -> None:
        self._started = time.monotonic()
        self._checked: float | None = None

    def checked(self) -> None:
        """From now on it is queueing."""
        self._checked = time.monotonic()

    @property
    def check_seconds(self) -> float:
        """Until ``checked``, or until now."""
        return (self._checked or time.monotonic()) - self._started

    @property
    def queue_seconds(self) -> float:
        """Since ``checked``."""
        return 0.0 if self._checked is None else time.monotonic() - self._checked


class OrderingService:
    """Orders the channels of *store*; use as an async context manager.

    Leaving the context stores what was accepted, then closes the store.
    """

    def __init__(self, store: OrderStore, *, signer: SignerLike, template: ChannelTemplate) -> None:
        self._store = store
        self._signer = signer
        self._template = template
        self._chains = {name: Chain(name, store=store, signer=signer) for name in store.channels()}
        self._tasks = asyncio.TaskGroup()
        self._running: list[asyncio.Task[None]] = []
        self._creating = asyncio.Lock()
        self._stopping = False
        self._repeats = Repeats(_log)

    async def __aenter__(self) -> OrderingService:
        await self._tasks.__aenter__()
        for chain in self._chains.values():
            self._run(chain)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()
        try:
            await self._tasks.__aexit__(kind, error, trace)
        finally:
            self._store.close()

    def stop(self) -> None:
        """Accept nothing more; what was accepted is stored."""
        self._stopping = True
        for chain in self._chains.values():
            chain.stop()

    async def drained(self, timeout_seconds: float) -> bool:
        """Wait, after ``stop``, until everything accepted is stored.

        ``False`` when the time was over first.
        """
        if not self._running:
            return True
        _, late = await asyncio.wait(self._running, timeout=timeout_seconds)
        return not late

    def chain(self, channel_id: str) -> Chain | None:
        """The chain of a channel, if there is one."""
        return self._chains.get(channel_id)

    def channels(self) -> list[str]:
        """All channels in alphabetical order."""
        return sorted(self._chains)

    def failure(self) -> str | None:
        """Why a channel is not ordered any more, if so."""
        return next((chain.failure for chain in self._chains.values() if chain.failure), None)

    async def broadcast(self, envelope: Envelope) -> BroadcastResult:
        """Check and queue *envelope*; never raises for what is wrong with it (§5.2)."""
        watch = _Watch()
        try:
            submission = read_submission(envelope)
        except BroadcastRefused as error:
            self._repeats.warning(f"refused an envelope: {error}")
            return BroadcastResult(status=error.status, info=str(error))
        status, info = Status.SUCCESS, ""
        try:
            await self._accept(submission, watch)
        except BroadcastRefused as error:
            about = submission.channel_id
            self._repeats.warning(f"channel {about}: refused an envelope: {error}")
            status, info = error.status, str(error)
        return BroadcastResult(
            status=status,
            info=info,
            channel_id=submission.channel_id if self.chain(submission.channel_id) else "unknown",
            type_name=_type_name(submission.channel_header.type),
            check_seconds=watch.check_seconds,
            queue_seconds=watch.queue_seconds,
        )

    async def create_channel(self, channel_id: str) -> Block:
        """Create a channel of the template's organisations; returns its block 0, durable.

        Raises OrderingError when it exists, ConfigError when the name cannot be one.
        """
        async with self._creating:
            if channel_id in self._chains:
                raise OrderingError(f"channel {channel_id} exists already")
            block = self._template.genesis(channel_id)
            await self._add(block)
        return block

    async def _accept(self, submission: Submission, watch: _Watch) -> None:
        chain = self.chain(submission.channel_id)
        if chain is None and submission.is_config_update:
            chain = await self._create_from(submission)
            if chain is None:
                return
        if chain is None:
            raise BroadcastRefused(Status.NOT_FOUND, "channel does not exist")
        chain.check(submission)
        watch.checked()
        await chain.enqueue(submission)

    async def _create_from(self, submission: Submission) -> Chain | None:
        """Create the channel; the chain instead, when somebody was quicker."""
        async with self._creating:
            chain = self.chain(submission.channel_id)
            if chain is None and self._stopping:
                raise BroadcastRefused(Status.SERVICE_UNAVAILABLE, "the ordering is stopping")
            if chain is None:
                await self._add_requested(submission)
        return chain

    async def _add_requested(self, submission: Submission) -> None:
        block = block_from_creation(submission, template=self._template, signer=self._signer)
        try:
            await self._add(block)
        except StorageError as error:
            text = f"the ordering cannot store channel {submission.channel_id}: {error}"
            _log.error("%s", text)
            raise BroadcastRefused(Status.SERVICE_UNAVAILABLE, text) from error

    async def _add(self, block: Block) -> None:
        channel_id = channel_id_of(block)
        await asyncio.to_thread(self._store.append, channel_id, 0, serialize(block))
        chain = Chain(channel_id, store=self._store, signer=self._signer)
        self._chains[channel_id] = chain
        self._run(chain)
        _log.info("created channel %s", channel_id)

    def _run(self, chain: Chain) -> None:
        task = self._tasks.create_task(chain.run(), name=f"order {chain.channel_id}")
        self._running.append(task)


def _type_name(number: int) -> str:
    """For the metrics, where a stranger must not invent as many names as there are numbers."""
    return header_type_name(number) if number in HeaderType.values() else "unknown"
