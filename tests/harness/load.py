"""Clients that keep committing, whatever happens to the peer, and remember what they were told."""

from __future__ import annotations

import asyncio
import itertools
from collections import Counter
from types import TracebackType
from typing import Self

from fabric_protos.peer.transaction_pb2 import TxValidationCode
from harness.networks import Network
from treadle_fabric.client import CallFailed, NotCommitted, StreamClosed

VALID: int = TxValidationCode.VALID


class Load:
    """Several submitters in closed loops; an async context manager.

    Each writes keys of its own and, every fourth time, moves money between two accounts that all
    share, so that blocks hold conflicts too.
    """

    def __init__(self, network: Network, *, chaincode: str, submitters: int) -> None:
        self.acknowledged: dict[str, int] = {}
        self.interrupted: Counter[str] = Counter()
        self._network = network
        self._chaincode = chaincode
        self._submitters = submitters
        self._tasks: list[asyncio.Task[None]] = []
        self._news = asyncio.Condition()

    async def __aenter__(self) -> Self:
        self._tasks = [
            asyncio.create_task(self._submit_for_ever(number)) for number in range(self._submitters)
        ]
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def next_commit(self, *, within: float) -> None:
        """Return at the next valid transaction from now on; raises what ended a submitter."""
        known = self.valid
        waiting = asyncio.create_task(self._wait_until_more(known))
        done, _ = await asyncio.wait(
            [waiting, *self._tasks], timeout=within, return_when=asyncio.FIRST_COMPLETED
        )
        waiting.cancel()
        for task in done:
            task.result()
        assert waiting in done, f"no client could commit within {within:g} s"

    @property
    def valid(self) -> int:
        """How many transactions were acknowledged as valid."""
        return sum(1 for code in self.acknowledged.values() if code == VALID)

    async def _wait_until_more(self, known: int) -> None:
        async with self._news:
            await self._news.wait_for(lambda: self.valid > known)

    async def _submit_for_ever(self, number: int) -> None:
        for turn in itertools.count():
            try:
                await self._submit(number, turn)
            except (CallFailed, StreamClosed) as error:
                self.interrupted[str(error)] += 1
                await self._network.wait_ready()

    async def _submit(self, number: int, turn: int) -> None:
        channel = self._network.channel
        arguments = ["set", f"client{number}-{turn:06d}", f"value of {turn}"]
        if turn % 4 == 3:
            accounts = ("alice", "bob") if number % 2 else ("bob", "alice")
            arguments = ["transfer", *accounts, "1"]
        endorsed = await channel.endorse(channel.propose(self._chaincode, arguments))
        tx_id = endorsed.proposal.tx_id
        try:
            receipt = await channel.submit(endorsed)
        except NotCommitted as invalid:
            await self._note(tx_id, invalid.code)
        else:
            await self._note(receipt.tx_id, VALID)

    async def _note(self, tx_id: str, code: int) -> None:
        async with self._news:
            self.acknowledged[tx_id] = code
            self._news.notify_all()


def unexpected(load: Load) -> list[str]:
    """What clients met that is not a peer going away."""
    gone = ("code = Unavailable", "code = Canceled", "the stream from", "sends no more blocks")
    return [text for text in load.interrupted if not any(part in text for part in gone)]
