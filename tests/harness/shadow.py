"""A second ledger that replays what a crashed one holds: each crash costs its own blocks only."""

from __future__ import annotations

from pathlib import Path

from fabric_protos.common.common_pb2 import Block
from harness.crash_reference import as_validated, digest
from treadle_fabric.wire import block_header_hash
from treadle_peer.ledger import Ledger, LedgerStore
from treadle_peer.order import OrderStore


class ShadowLedger:
    """Grows with the blocks of one channel, as crash after crash finds them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._ledger: Ledger | None = None

    def compare(self, data: Path, channel: str) -> int:
        """Check the copy of a dead peer's data folder; its height.

        Each block continues the chain, all that was there at the last crash is there, state,
        history and indexes are what replaying the blocks gives, and the ordering is not behind.
        """
        with LedgerStore.open(data / "ledger") as store:
            crashed = store.get(channel)
            assert crashed is not None, f"{channel} is gone"
            self._replay(crashed)
            orders = OrderStore(data / "ordering" / "blocks")
            try:
                self._compare_ordering(orders, crashed)
            finally:
                orders.close()
            return crashed.height

    def close(self) -> None:
        """Free the folder."""
        if self._ledger is not None:
            self._ledger.close()

    def _replay(self, crashed: Ledger) -> None:
        if self._ledger is None:
            self._ledger = Ledger.create(self._folder, crashed.block(0), durable=False)
        shadow = self._ledger
        assert crashed.height >= shadow.height, f"{shadow.height} blocks became {crashed.height}"
        last = shadow.height - 1
        assert crashed.block_bytes(last) == shadow.block_bytes(last), f"block {last} was replaced"
        for number in range(shadow.height, crashed.height):
            shadow.commit(as_validated(crashed.block(number)))
        assert digest(crashed._database) == digest(shadow._database), (
            f"the ledger is not what its {crashed.height} blocks lead to"
        )

    def _compare_ordering(self, orders: OrderStore, crashed: Ledger) -> None:
        channel, height = crashed.channel_id, orders.height(crashed.channel_id)
        assert height >= crashed.height, f"{crashed.height} committed, {height} ordered"
        ordered = Block.FromString(orders.block_bytes(channel, crashed.height - 1))
        assert block_header_hash(ordered.header) == crashed.chain_info().currentBlockHash
