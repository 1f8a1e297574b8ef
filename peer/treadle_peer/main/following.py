"""The peer follows its own ordering: every ordered block is committed, in order, once."""

from __future__ import annotations

import asyncio
import logging
import time
from types import TracebackType

from fabric_protos.common.common_pb2 import Block, ChannelHeader, Envelope, Payload
from fabric_protos.peer.proposal_pb2 import ChaincodeHeaderExtension
from fabric_protos.peer.transaction_pb2 import TxValidationCode
from treadle_fabric.wire import WireError, header_type_name, parse, parse_apart

from treadle_peer.channels import Channel, Channels
from treadle_peer.commit import BlockRefused, Committer, ValidationHalted
from treadle_peer.ledger import CommittedBlock, LedgerError
from treadle_peer.main.memory import LARGE, return_free_pages
from treadle_peer.order import OrderingService
from treadle_peer.services.metrics import LedgerMetrics
from treadle_peer.storage import StorageError

_log = logging.getLogger(__name__)


class Followers:
    """One task per joined channel; an async context manager.

    Leaving lets a running commit finish; what is ordered and not yet committed is committed after
    the next start.
    """

    def __init__(
        self, *, channels: Channels, ordering: OrderingService, metrics: LedgerMetrics
    ) -> None:
        self._channels = channels
        self._ordering = ordering
        self._metrics = metrics
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._failures: dict[str, str] = {}

    async def __aenter__(self) -> Followers:
        for name in self._channels.names():
            channel = self._channels.get(name)
            if channel is not None:
                self._follow(channel)
        self._channels.on_join(self._follow)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    def failure(self) -> str | None:
        """Why a channel does not go on, if so."""
        return next(iter(self._failures.values()), None)

    async def caught_up(self, timeout_seconds: float) -> None:
        """Wait until every followed channel has committed what is ordered, or the time is over."""
        targets = [
            (channel, chain.height)
            for name in self._tasks
            if (channel := self._channels.get(name)) and (chain := self._ordering.chain(name))
            if name not in self._failures
        ]
        try:
            async with asyncio.timeout(timeout_seconds):
                for channel, height in targets:
                    await channel.height_reached(height)
        except TimeoutError:
            _log.warning("blocks that are ordered but not committed follow after the next start")

    def _follow(self, channel: Channel) -> None:
        name = channel.channel_id
        if self._ordering.chain(name) is None:
            _log.warning("channel %s is not ordered here: it gets no new blocks", name)
            return
        self._tasks[name] = asyncio.create_task(self._run(channel), name=f"commit {name}")

    async def _run(self, channel: Channel) -> None:
        try:
            await self._commit_all(channel, Committer(channel))
        except (BlockRefused, ValidationHalted, LedgerError, StorageError, WireError) as error:
            self._fail(channel, str(error))
        except Exception as error:
            _log.exception("channel %s: committing failed", channel.channel_id)
            self._fail(channel, f"{type(error).__name__}: {error}")

    def _fail(self, channel: Channel, reason: str) -> None:
        self._failures[channel.channel_id] = f"channel {channel.channel_id} stopped: {reason}"
        _log.critical(
            "%s; restart the peer when the cause is gone", self._failures[channel.channel_id]
        )

    async def _commit_all(self, channel: Channel, committer: Committer) -> None:
        chain = self._ordering.chain(channel.channel_id)
        if chain is None:
            return
        if committer.next_number > chain.height:
            raise LedgerError(
                f"the ledger has {committer.next_number} blocks, the ordering {chain.height}: "
                "the ordering's folder was lost or replaced; restore it"
            )
        while True:
            number = committer.next_number
            await chain.height_reached(number + 1)
            size = await self._commit(channel.channel_id, committer, chain.block_bytes(number))
            if size >= LARGE:
                await asyncio.to_thread(return_free_pages)

    async def _commit(self, channel_id: str, committer: Committer, raw: bytes) -> int:
        """Commit one block; its size. Apart, so that nothing of it waits for the next one."""
        started, size = time.monotonic(), len(raw)
        delivery = asyncio.create_task(committer.deliver(parse(Block, raw)))
        del raw
        try:
            committed = await asyncio.shield(delivery)
        except asyncio.CancelledError:
            await delivery  # the ledger must not be closed under a running commit
            raise
        self._record(channel_id, committed, time.monotonic() - started)
        return size

    def _record(self, channel_id: str, committed: CommittedBlock, seconds: float) -> None:
        self._metrics.block_processing_time.labels(channel_id).observe(seconds)
        for data, code in zip(committed.block.data.data, committed.codes, strict=False):
            kind, chaincode = _kind(data)
            name = TxValidationCode.Name(TxValidationCode.ValueType(code))
            self._metrics.transaction_count.labels(channel_id, kind, chaincode, name).inc()
        _log.info(
            "channel %s: committed block %d with %d transaction(s) in %.0f ms",
            channel_id,
            committed.block.header.number,
            len(committed.codes),
            seconds * 1000,
        )


def _kind(data: bytes) -> tuple[str, str]:
    """Transaction type and chaincode of an envelope, for the metrics."""
    try:
        _, raw = parse_apart(Envelope, data, "payload")
        payload, _ = parse_apart(Payload, raw, "data")
        header = parse(ChannelHeader, payload.header.channel_header)
        extension = parse(ChaincodeHeaderExtension, header.extension)
    except WireError:
        return "unknown", "unknown"
    chaincode = extension.chaincode_id
    return header_type_name(header.type), f"{chaincode.name}:{chaincode.version}"
