"""The committer of one channel: verify, validate, make durable, announce.

Fed by embedded ordering or by whoever pulls blocks from external orderers; the only writer of
its channel's ledger.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable

from fabric_protos.common.common_pb2 import Block
from treadle_fabric.channelconfig import Bundle
from treadle_fabric.wire import set_transactions_filter

from treadle_peer.channels import Channel
from treadle_peer.commit.errors import ValidationHalted
from treadle_peer.commit.state import LedgerState
from treadle_peer.commit.validator import validate_block
from treadle_peer.commit.verification import verify_block
from treadle_peer.ledger import CommittedBlock

_log = logging.getLogger(__name__)


class Committer:
    """Commits the blocks of *channel* one after the other."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._turn = asyncio.Lock()
        self._halted: str | None = None

    @property
    def next_number(self) -> int:
        """The number of the block to deliver next; the right place to resume after a restart."""
        return self._channel.height

    async def deliver(self, block: Block) -> CommittedBlock:
        """Commit *block*; when this returns, it is durable and everybody waiting was woken.

        Raises BlockRefused when it is not the next block or not properly signed (nothing
        changed), ValidationHalted when the channel cannot go on, LedgerError when storing fails.
        Codes and commit hash are written into *block*, which is given away with this call.
        A caller that is cancelled leaves a running commit alone: it is finished and announced.
        """
        return await asyncio.shield(asyncio.create_task(self._deliver(block)))

    async def follow(self, blocks: Callable[[int], AsyncIterator[Block]]) -> None:
        """Deliver what *blocks* yields from the next number on, until it ends or fails."""
        async for block in blocks(self.next_number):
            await self.deliver(block)

    async def _deliver(self, block: Block) -> CommittedBlock:
        async with self._turn:
            if self._halted is not None:
                raise ValidationHalted(self._halted)
            try:
                committed, bundle = await asyncio.to_thread(self._commit, block)
            except ValidationHalted as error:
                self._halted = str(error)
                _log.critical("%s; the channel stops at block %d", error, self.next_number)
                raise
            self._channel.advance(height=block.header.number + 1, bundle=bundle)
            return committed

    def _commit(self, block: Block) -> tuple[CommittedBlock, Bundle | None]:
        """Runs in a worker thread; the turn lock keeps everything it reads in place."""
        ledger, bundle = self._channel.ledger, self._channel.bundle
        previous = ledger.chain_info().currentBlockHash
        verify_block(block, bundle=bundle, height=ledger.height, previous_hash=previous)
        with ledger.reader() as reader:
            verdict = validate_block(block, bundle=bundle, state=LedgerState(ledger, reader))
        set_transactions_filter(block, verdict.codes)
        return ledger.commit(block), verdict.bundle
