"""One channel's ledger: blocks, state and history, committed together.

Reads never wait for a commit. Nothing of a block is visible before it is on disk.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from pathlib import Path

from fabric_protos.common.common_pb2 import Block, Envelope
from fabric_protos.common.configtx_pb2 import Config, ConfigEnvelope
from fabric_protos.common.ledger_pb2 import BlockchainInfo
from fabric_protos.peer.transaction_pb2 import ProcessedTransaction
from treadle_fabric.wire import (
    WireError,
    channel_id_of,
    get_transactions_filter,
    set_transactions_filter,
)

from treadle_peer.ledger.blocks import NEWEST, BlockStore, Location, no_such_block
from treadle_peer.ledger.commits import CONFIG_KEY, CONFIG_NAMESPACE, prepare_commit
from treadle_peer.ledger.committed import LiveState
from treadle_peer.ledger.errors import LedgerError
from treadle_peer.ledger.families import FAMILIES, LEDGER_FORMAT, META, STATE
from treadle_peer.ledger.history import HistoryReader
from treadle_peer.ledger.keys import state_key
from treadle_peer.ledger.readers import StateReader
from treadle_peer.ledger.rows import Tip, commit_batch, next_tip, read_tip
from treadle_peer.ledger.simulator import Simulator
from treadle_peer.ledger.values import VersionedValue
from treadle_peer.ledger.verify import Progress, verify_database
from treadle_peer.ledger.views import SNAPSHOT_MAX_AGE, StateViews
from treadle_peer.storage import Batch, BlockCache, Database, StorageError

_CHANNEL = b"channel"


@dataclass(frozen=True, slots=True)
class CommittedBlock:
    """A block as it is on the ledger, and the final code of each of its transactions."""

    block: Block
    codes: list[int]


class Ledger:
    """The ledger of one channel. Open it with ``open`` or ``create``.

    Reads may come from any thread. ``commit`` blocks for the disk: call it from a worker thread.
    """

    def __init__(self, database: Database, *, snapshot_max_age: float) -> None:
        channel = database.get(META, _CHANNEL)
        self.channel_id = "" if channel is None else channel.decode()
        self._database = database
        self._blocks = BlockStore(database)
        self._committing = threading.Lock()
        self._tip = read_tip(database)
        self._views = StateViews(database, height=self._tip.height, max_age=snapshot_max_age)
        self._broken: StorageError | None = None

    @classmethod
    def open(
        cls,
        path: Path,
        channel_id: str,
        *,
        cache: BlockCache | None = None,
        snapshot_max_age: float = SNAPSHOT_MAX_AGE,
        durable: bool = True,
    ) -> Ledger:
        """Open the ledger of *channel_id* in the folder *path*.

        Raises LedgerError when the folder holds none, or another channel's; StorageError when it
        is in use, damaged or of another format.
        """
        if not path.is_dir():
            raise LedgerError(f"{path}: no ledger of channel {channel_id} here")
        database = Database.open(
            path, format=LEDGER_FORMAT, families=FAMILIES, cache=cache, durable=durable
        )
        ledger = cls(database, snapshot_max_age=snapshot_max_age)
        if ledger.channel_id != channel_id or not ledger.height:
            found = ledger.channel_id or "no channel"
            ledger.close()
            raise LedgerError(f"{path}: holds the ledger of {found}, not of {channel_id}")
        return ledger

    @classmethod
    def create(
        cls,
        path: Path,
        genesis_block: Block,
        *,
        cache: BlockCache | None = None,
        snapshot_max_age: float = SNAPSHOT_MAX_AGE,
        durable: bool = True,
    ) -> Ledger:
        """Make a ledger in the new or empty folder *path*; its channel is the genesis block's.

        The genesis block counts as valid when nobody has written codes. Raises LedgerError.
        """
        try:
            channel_id = channel_id_of(genesis_block)
        except WireError as error:
            raise LedgerError(f"cannot create ledger from genesis block: {error}") from error
        database = Database.open(
            path, format=LEDGER_FORMAT, families=FAMILIES, cache=cache, durable=durable
        )
        try:
            if database.get(META, _CHANNEL) is not None:
                raise LedgerError(f"{path}: holds a ledger already")
            return cls._with_genesis(
                database, channel_id, genesis_block, snapshot_max_age=snapshot_max_age
            )
        except BaseException:
            database.close()
            raise

    @classmethod
    def _with_genesis(
        cls, database: Database, channel_id: str, genesis_block: Block, *, snapshot_max_age: float
    ) -> Ledger:
        block = Block()
        block.CopyFrom(genesis_block)
        if not get_transactions_filter(block):
            set_transactions_filter(block, bytes(len(block.data.data)))
        naming = database.batch()
        naming.put(META, _CHANNEL, channel_id.encode())
        database.write(naming)
        ledger = cls(database, snapshot_max_age=snapshot_max_age)
        try:
            ledger.commit(block)
        except BaseException:
            ledger.close()
            raise
        return ledger

    @property
    def height(self) -> int:
        """How many blocks are committed."""
        return self._tip.height

    @property
    def config(self) -> Config:
        """The channel configuration that the last committed config block set (wire §5.6)."""
        stored = self._database.get(STATE, state_key(CONFIG_NAMESPACE, CONFIG_KEY))
        if stored is None:
            raise LedgerError(f"channel {self.channel_id} has no configuration")
        return ConfigEnvelope.FromString(VersionedValue.decode(stored).value).config

    def chain_info(self) -> BlockchainInfo:
        """Height and the header hashes of the last two blocks."""
        tip = self._tip
        return BlockchainInfo(
            height=tip.height,
            currentBlockHash=tip.current_hash,
            previousBlockHash=tip.previous_hash,
        )

    @property
    def commit_hash(self) -> bytes:
        """The commit hash of the last block; empty before block 1."""
        return self._tip.commit_hash

    def simulator(self, tx_id: str) -> Simulator:
        """A simulation of transaction *tx_id* on the newest height; close it."""
        return Simulator(self._views.acquire(), tx_id)

    def reader(self) -> StateReader:
        """The state of the newest height; close it."""
        return StateReader(self._views.acquire())

    def history_reader(self) -> HistoryReader:
        """The history of all blocks committed so far."""
        return HistoryReader(self._database, height=self.height)

    def block(self, number: int) -> Block:
        """Block *number*; 2**64 - 1 is the newest. Raises LedgerError with Fabric's text."""
        return self._blocks.read(self._existing(number))

    def block_bytes(self, number: int) -> bytes:
        """Block *number*, marshalled; raises LedgerError."""
        return self._blocks.read_bytes(self._existing(number))

    def block_by_hash(self, header_hash: bytes) -> Block:
        """The block with this header hash; raises LedgerError with Fabric's text."""
        number = self._blocks.number_of_hash(header_hash)
        if number is None or number >= self.height:
            raise LedgerError(f"no such block hash [{header_hash.hex()}] in index")
        return self._blocks.read(number)

    def block_by_tx_id(self, tx_id: str) -> Block:
        """The block of a transaction; raises LedgerError with Fabric's text."""
        return self._blocks.read(self.locate(tx_id).block)

    def transaction(self, tx_id: str) -> ProcessedTransaction:
        """A transaction and its validation code; raises LedgerError with Fabric's text."""
        found = self.locate(tx_id)
        envelope = Envelope.FromString(self._blocks.envelope(found.block, found.tx))
        return ProcessedTransaction(transactionEnvelope=envelope, validationCode=found.code)

    def locate(self, tx_id: str) -> Location:
        """Block, index and code of the first transaction with *tx_id*; raises LedgerError."""
        found = self._blocks.locate(tx_id)
        if found is None or found.block >= self.height:
            raise LedgerError(f"no such transaction ID [{tx_id}] in index")
        return found

    def has_transaction(self, tx_id: str) -> bool:
        """Whether a committed transaction, valid or not, has this id."""
        found = self._blocks.locate(tx_id)
        return found is not None and found.block < self.height

    def commit(self, block: Block) -> CommittedBlock:
        """Append *block*, whose slot TRANSACTIONS_FILTER holds the codes of the checks before.

        Those that are VALID so far get their final code by MVCC and phantom checks. The block is
        on disk, whole, when this returns; codes and commit hash are in *block* then. Raises
        LedgerError when it does not continue the chain. After a StorageError the ledger must be
        opened anew.
        """
        with self._committing:
            if self._broken is not None:
                raise LedgerError(f"a write has failed: {self._broken}") from self._broken
            self._check_continues(block)
            prepared = prepare_commit(
                block,
                state=LiveState(self._database),
                previous_commit_hash=self._tip.commit_hash,
            )
            committed = CommittedBlock(prepared.block, prepared.codes)
            tip = next_tip(prepared)
            batch, written = commit_batch(self._database, prepared, tip)
            del prepared  # large values are in the batch now
            self._write(batch, written, tip)
            return committed

    def checkpoint(self, folder: Path) -> int:
        """Make the new folder *folder* a copy; its height. Raises StorageError."""
        with self._committing:
            self._database.checkpoint(folder)
            return self.height

    def verify(self, progress: Progress | None = None) -> list[str]:
        """What is wrong with the ledger, one sentence each; empty when all is well.

        Replays all blocks in a scratch folder, so it takes a while; commits wait meanwhile.
        """
        with self._committing:
            return verify_database(self._database, progress=progress)

    def close(self) -> None:
        """Free the folder; readers still open get LedgerError. Harmless when done already."""
        with self._committing:
            self._views.close()
            self._database.close()

    def _check_continues(self, block: Block) -> None:
        tip, header = self._tip, block.header
        if header.number != tip.height:
            raise LedgerError(f"block number should have been {tip.height} but was {header.number}")
        if header.previous_hash != tip.current_hash:
            raise LedgerError(
                "unexpected Previous block hash. Expected PreviousHash = "
                f"[{tip.current_hash.hex()}], PreviousHash referred in the latest block= "
                f"[{header.previous_hash.hex()}]"
            )

    def _existing(self, number: int) -> int:
        height = self.height
        if number == NEWEST:
            number = height - 1
        if not 0 <= number < height:
            raise no_such_block(number)
        return number

    def _write(self, batch: Batch, written: list[bytes], tip: Tip) -> None:
        self._views.record(tip.height - 1, written)
        try:
            self._database.write(batch)
        except StorageError as error:
            self._broken = error
            raise
        self._views.publish()
        self._tip = tip
