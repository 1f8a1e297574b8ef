"""What a recorded run had: its chains, its ledgers at every height, its authorities, its word."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from fabric_protos.common.common_pb2 import Block, BlockMetadataIndex
from fabric_protos.peer.transaction_pb2 import TxValidationCode
from harness.promises import Promise
from harness.recorded_run import RecordedRun
from treadle_fabric.wire import (
    block_header_hash,
    get_transactions_filter,
    set_metadata,
    set_transactions_filter,
)
from treadle_peer.ledger import Ledger, LedgerStore
from treadle_peer.ledger.families import BLOCKS, HISTORY, INDEXES, META, STATE
from treadle_peer.ledger.transactions import read_entry
from treadle_peer.main.folders import DataFolders
from treadle_peer.order import OrderStore
from treadle_peer.storage import Database

_STATE_CODES = (TxValidationCode.MVCC_READ_CONFLICT, TxValidationCode.PHANTOM_READ_CONFLICT)


@dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    """A channel as recorded: hash and bytes of each block, and the digest of the ledger there."""

    ordered: list[bytes]
    committed: list[bytes]
    digests: list[str]  # [height - 1]
    places: dict[str, tuple[int, int]]  # of each transaction: block, code


class Reference:
    """What the recorded run had at its end, and each ledger at every height before."""

    def __init__(self, run: RecordedRun, scratch: Path) -> None:
        self.promises = sorted(run.promises, key=lambda promise: promise.when)
        self.authorities = authorities(run.final)
        self.chains: dict[str, Chain] = {}
        folders = DataFolders(run.final)
        orders = OrderStore(folders.ordering_blocks)
        with LedgerStore.open(folders.ledger) as store:
            for name in store.names():
                ledger = store.get(name)
                assert ledger is not None
                ordered = [orders.block_bytes(name, n) for n in range(orders.height(name))]
                self.chains[name] = _chain(ledger, ordered, scratch / name)
        orders.close()

    def due(self, horizon: int) -> list[Promise]:
        """What was promised before *horizon* (ns)."""
        return [promise for promise in self.promises if promise.when < horizon]


def authorities(data: Path) -> tuple[bytes, ...]:
    """The certificates by which others recognise this peer, its ordering and its port."""
    folders = DataFolders(data)
    files = (
        folders.network / "organization" / "ca" / "cert.pem",
        folders.network / "organization" / "tlsca" / "cert.pem",
        folders.network / "admin" / "signcerts" / "cert.pem",
        folders.ordering_identity / "organization" / "ca" / "cert.pem",
        folders.chaincode_authority / "ca.pem",
    )
    return tuple(file.read_bytes() for file in files)


def digest(database: Database) -> str:
    """Of all rows of a ledger."""
    found = hashlib.sha256()
    for family in (BLOCKS, INDEXES, STATE, HISTORY, META):
        for key, value in database.scan(family):
            found.update(b"%d:%d:" % (len(key), len(value)) + key + value)
        found.update(b"end")
    return found.hexdigest()


def block_hash(block: bytes) -> bytes:
    """The header's hash of a marshalled block."""
    return block_header_hash(Block.FromString(block).header)


def _chain(ledger: Ledger, ordered: list[bytes], scratch: Path) -> Chain:
    blocks = [ledger.block(number) for number in range(ledger.height)]
    places = {
        read_entry(envelope).tx_id: (number, code)
        for number, block in enumerate(blocks)
        for envelope, code in zip(block.data.data, get_transactions_filter(block), strict=True)
    }
    committed = [ledger.block_bytes(number) for number in range(ledger.height)]
    replayed = Ledger.create(scratch, blocks[0], durable=False)
    digests = [digest(replayed._database)]
    for block in blocks[1:]:
        replayed.commit(as_validated(block))
        digests.append(digest(replayed._database))
    replayed.close()
    assert digests[-1] == digest(ledger._database), "the run itself ended with a wrong ledger"
    return Chain(ordered=ordered, committed=committed, digests=digests, places=places)


def as_validated(block: Block) -> Block:
    """The block as it was before a ledger judged it."""
    before = Block.FromString(block.SerializeToString())
    codes = get_transactions_filter(block)
    set_transactions_filter(before, [0 if code in _STATE_CODES else code for code in codes])
    set_metadata(before, BlockMetadataIndex.COMMIT_HASH, b"")
    return before
