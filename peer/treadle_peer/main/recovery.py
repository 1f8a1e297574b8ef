"""The ordering's blocks and the ledgers' are the same: checking it, and mending the ordering."""

from __future__ import annotations

import logging
from collections.abc import Iterator

from fabric_protos.common.common_pb2 import Block, BlockMetadataIndex
from google.protobuf.message import DecodeError
from treadle_fabric.wire import block_header_hash, serialize, set_metadata

from treadle_peer.ledger import Ledger, LedgerError, LedgerStore
from treadle_peer.order import OrderingError, OrderingIdentity, OrderStore, chain_problems
from treadle_peer.storage import StorageError

_log = logging.getLogger(__name__)


def restore_ordering(
    orders: OrderStore, ledgers: LedgerStore, *, orderer: OrderingIdentity
) -> None:
    """Take blocks that the ordering has lost back from the ledgers, also whole channels.

    A block reaches a ledger only after it was durable in the ordering. A ledger that has more
    blocks means a damaged or older ordering folder; cutting on would give other blocks the
    numbers of those that were delivered, and a lost channel could be created again. *orderer*
    tells which ledgers' channels are ordered here. Raises StorageError, LedgerError, ConfigError,
    and OrderingError when the two do not fit.
    """
    for name in _ordered_channels(orders, ledgers, orderer):
        ledger, height = ledgers.get(name), orders.height(name)
        if ledger is None or ledger.height <= height:
            continue
        tip_hash = _tip_hash(orders, name, height)
        for number in range(height, ledger.height):
            block = ledger.block(number)
            if block.header.previous_hash != tip_hash:
                raise OrderingError(
                    f"channel {name}: block {number} of the ledger does not continue the "
                    "ordering's blocks; restore the data folder from a backup"
                )
            orders.append(name, number, serialize(_as_ordered(block)))
            tip_hash = block_header_hash(block.header)
        _log.warning(
            "channel %s: the ordering had lost blocks %d to %d; they were taken from the ledger",
            name,
            height,
            ledger.height - 1,
        )


def ordering_problems(
    orders: OrderStore, ledgers: LedgerStore, *, orderer: OrderingIdentity
) -> Iterator[tuple[str, str]]:
    """Channels and what is wrong with their ordered blocks, one sentence each.

    Raises as ``restore_ordering`` when a ledger does not tell who orders its channel.
    """
    for name in _ordered_channels(orders, ledgers, orderer):
        for problem in chain_problems(orders, name):
            yield name, problem
        ledger = ledgers.get(name)
        if ledger is not None:
            for problem in _differences(orders, ledger):
                yield name, problem


def _ordered_channels(
    orders: OrderStore, ledgers: LedgerStore, orderer: OrderingIdentity
) -> list[str]:
    """The channels of *orders*, and those it has lost: *orderer* made them, their ledgers say."""
    kept = orders.channels()
    lost = [
        name
        for name in sorted(set(ledgers.names()) - set(kept))
        if (ledger := ledgers.get(name)) is not None and orderer.orders(ledger.block(0))
    ]
    return [*kept, *lost]


def _tip_hash(orders: OrderStore, name: str, height: int) -> bytes:
    """What block *height* has to carry; nothing when it is the first."""
    if height == 0:
        return b""
    return block_header_hash(Block.FromString(orders.block_bytes(name, height - 1)).header)


def _differences(orders: OrderStore, ledger: Ledger) -> Iterator[str]:
    ordered = orders.height(ledger.channel_id)
    if ordered < ledger.height:
        yield f"ordering: has only {ordered} blocks; a start takes the others from the ledger"
    for number in range(min(ordered, ledger.height)):
        try:
            committed = serialize(_as_ordered(ledger.block(number)))
            if orders.block_bytes(ledger.channel_id, number) != committed:
                yield f"block {number} of the ledger is another one than the ordering's"
        except (StorageError, LedgerError, DecodeError) as error:
            yield f"block {number} cannot be compared with the ordering's: {error}"


def _as_ordered(block: Block) -> Block:
    """A committed block without what only the committing peer added."""
    ordered = Block()
    ordered.CopyFrom(block)
    for slot in (BlockMetadataIndex.TRANSACTIONS_FILTER, BlockMetadataIndex.COMMIT_HASH):
        set_metadata(ordered, slot, b"")
    return ordered
