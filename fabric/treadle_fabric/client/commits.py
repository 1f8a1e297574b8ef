"""Waiting for a transaction to be committed.

The watch is opened, and its first block seen, before the transaction is handed to the orderer:
so it cannot be missed, however quickly it is ordered.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import TracebackType
from typing import Self

from fabric_protos.peer.events_pb2 import FilteredBlock
from fabric_protos.peer.transaction_pb2 import TxValidationCode

from treadle_fabric.client.connection import translated
from treadle_fabric.client.errors import NotCommitted, StreamClosed
from treadle_fabric.client.peer import PeerConnection
from treadle_fabric.client.seeking import seek_request
from treadle_fabric.client.streams import DeliverStream
from treadle_fabric.wire import SignerLike


@dataclass(frozen=True, slots=True, kw_only=True)
class Commit:
    """Where a transaction ended: ``code`` is its TxValidationCode in block ``block``."""

    tx_id: str
    code: int
    block: int
    address: str

    @property
    def valid(self) -> bool:
        """Whether the transaction changed the state."""
        return self.code == TxValidationCode.VALID

    def check(self) -> None:
        """Raise NotCommitted unless valid."""
        if not self.valid:
            raise NotCommitted(self.tx_id, self.code)


class CommitWatch:
    """Sees one transaction being committed at one peer.

    ``await open(...)``, broadcast, ``await commit(...)``; close it, or use ``async with``.
    """

    def __init__(self, *, peer: PeerConnection, tx_id: str) -> None:
        self._peer = peer
        self._tx_id = tx_id
        self._seen: Commit | None = None
        self._stream: DeliverStream[FilteredBlock] = peer.deliver_filtered()

    async def open(self, *, signer: SignerLike, channel_id: str, within: float) -> None:
        """Subscribe from the newest block on, and wait for that one to arrive."""
        request = seek_request(
            signer=signer,
            channel_id=channel_id,
            start="newest",
            tls_cert_hash=self._peer.endpoint.tls_cert_hash,
        )
        await self._stream.seek(request, within=within)
        await self._next(within=within)

    async def commit(self, *, within: float) -> Commit:
        """The transaction's fate, valid or not.

        *within* is the deadline in seconds for the whole wait; raises DeadlinePassed.
        """
        return await translated(
            self._until_seen(), within=within, waiting_for=f"txid {self._tx_id} to be committed"
        )

    async def _until_seen(self) -> Commit:
        while self._seen is None:
            await self._next(within=None)
        return self._seen

    async def _next(self, *, within: float | None) -> None:
        block = await self._stream.read(within=within)
        if block is None:
            raise StreamClosed(f"{self._peer.endpoint.address} sends no more blocks")
        for transaction in block.filtered_transactions:
            if transaction.txid == self._tx_id:
                self._seen = Commit(
                    tx_id=self._tx_id,
                    code=transaction.tx_validation_code,
                    block=block.number,
                    address=self._peer.endpoint.address,
                )

    def close(self) -> None:
        """End the subscription."""
        self._stream.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
