"""Blocks and their indexes: number, header hash, transaction id (fabric-wire.md §4.7).

A block is kept as one row for header and metadata and one row per entry, so that a single
transaction (history queries) is found without reading its block.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fabric_protos.common.common_pb2 import Block, BlockMetadataIndex
from treadle_fabric.wire import block_header_hash, marshal_block

from treadle_peer.ledger.errors import LedgerError
from treadle_peer.ledger.families import BLOCKS, INDEXES
from treadle_peer.ledger.keys import number, position, read_number, read_position
from treadle_peer.storage import Batch, Database

NEWEST = (1 << 64) - 1


@dataclass(frozen=True, slots=True)
class Location:
    """Where a transaction is, and its validation code."""

    block: int
    tx: int
    code: int


class BlockStore:
    """Reads and writes the rows of blocks; heights are the caller's business."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def append(self, batch: Batch, block: Block, tx_ids: Sequence[str]) -> None:
        """Add all rows of *block*, whose metadata is complete, to *batch*."""
        own = block.header.number
        head = Block(header=block.header, metadata=block.metadata)
        batch.put(BLOCKS, number(own), head.SerializeToString())
        for index, envelope in enumerate(block.data.data):
            batch.put(BLOCKS, position(own, index), envelope)
        batch.put(INDEXES, _hash_key(block_header_hash(block.header)), number(own))
        codes = block.metadata.metadata[BlockMetadataIndex.TRANSACTIONS_FILTER]
        # The first transaction with an id keeps it (trap 58).
        first = {tx_id: index for index, tx_id in reversed(list(enumerate(tx_ids)))}
        for tx_id, index in first.items():
            key = _tx_key(tx_id)
            if self._database.get(INDEXES, key) is None:
                batch.put(INDEXES, key, bytes(codes[index : index + 1]) + position(own, index))

    def read(self, block: int) -> Block:
        """Block number *block*; raises LedgerError when there is none."""
        rows = self._database.scan(BLOCKS, start=number(block), end=number(block + 1))
        key, head = next(rows, (b"", b""))
        if key != number(block):
            raise no_such_block(block)
        found = Block.FromString(head)
        found.data.data.extend(envelope for _, envelope in rows)
        # A block without entries still has its data message.
        found.data.SetInParent()
        return found

    def read_bytes(self, block: int) -> bytes:
        """Block number *block*, marshalled from its rows; raises LedgerError when there is none."""
        head = self._database.get(BLOCKS, number(block))
        if head is None:
            raise no_such_block(block)
        rows = self._database.scan(BLOCKS, start=position(block, 0), end=number(block + 1))
        return marshal_block(Block.FromString(head), [envelope for _, envelope in rows])

    def envelope(self, block: int, tx: int) -> bytes:
        """The bytes of one entry; raises LedgerError when there is none."""
        envelope = self._database.get(BLOCKS, position(block, tx))
        if envelope is None:
            raise LedgerError(f"no such blockNumber, transactionNumber <{block}, {tx}> in index")
        return envelope

    def number_of_hash(self, header_hash: bytes) -> int | None:
        """The number of the block with this header hash, or None."""
        found = self._database.get(INDEXES, _hash_key(header_hash))
        return None if found is None else read_number(found)

    def locate(self, tx_id: str) -> Location | None:
        """Where the first transaction with *tx_id* is, or None."""
        found = self._database.get(INDEXES, _tx_key(tx_id))
        return None if found is None else Location(*read_position(found), found[0])


def no_such_block(block: int) -> LedgerError:
    """Fabric's text for an unknown block number."""
    return LedgerError(f"no such block number [{block}] in index")


def _hash_key(header_hash: bytes) -> bytes:
    return b"h" + header_hash


def _tx_key(tx_id: str) -> bytes:
    return b"t" + tx_id.encode()
