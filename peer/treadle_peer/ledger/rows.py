"""What a commit writes besides the block: state, history, the tip of the chain."""

from __future__ import annotations

from dataclasses import dataclass

from fabric_protos.common.ledger_pb2 import BlockchainInfo
from treadle_fabric.wire import block_header_hash

from treadle_peer.ledger.blocks import BlockStore
from treadle_peer.ledger.commits import PreparedCommit
from treadle_peer.ledger.families import HISTORY, META, STATE
from treadle_peer.ledger.keys import history_key, state_key
from treadle_peer.ledger.values import VersionedValue
from treadle_peer.storage import Batch, Database

_TIP = b"tip"
_COMMIT_HASH = b"commit-hash"


@dataclass(frozen=True, slots=True)
class Tip:
    """The end of the chain; the defaults describe an empty one."""

    height: int = 0
    current_hash: bytes = b""
    previous_hash: bytes = b""
    commit_hash: bytes = b""


def next_tip(prepared: PreparedCommit) -> Tip:
    """The end of the chain once *prepared* is committed."""
    header = prepared.block.header
    return Tip(
        height=header.number + 1,
        current_hash=block_header_hash(header),
        previous_hash=header.previous_hash,
        commit_hash=prepared.commit_hash,
    )


def commit_batch(
    database: Database, prepared: PreparedCommit, tip: Tip
) -> tuple[Batch, list[bytes]]:
    """Everything that commits *prepared*, and the state keys that it writes, in order."""
    batch = database.batch()
    BlockStore(database).append(batch, prepared.block, prepared.tx_ids)
    written = _put_state(batch, prepared)
    _put_history(batch, prepared)
    _put_tip(batch, tip)
    return batch, written


def _put_state(batch: Batch, prepared: PreparedCommit) -> list[bytes]:
    """Add the new state to *batch*; returns the state keys, in order."""
    written = []
    for namespace, key, update in prepared.updates:
        stored_key = state_key(namespace, key)
        written.append(stored_key)
        if update.value is None:
            batch.delete(STATE, stored_key)
        else:
            value = VersionedValue(update.value, update.version, update.metadata)
            batch.put(STATE, stored_key, value.encode())
    return written


def _put_history(batch: Batch, prepared: PreparedCommit) -> None:
    """Add the rows that name the writers of each key to *batch*."""
    block = prepared.block.header.number
    for row in prepared.history:
        key = history_key(row.namespace, row.key, block=block, tx=row.tx)
        batch.put(HISTORY, key, b"")


def _put_tip(batch: Batch, tip: Tip) -> None:
    """Add the new end of the chain to *batch*."""
    info = BlockchainInfo(
        height=tip.height, currentBlockHash=tip.current_hash, previousBlockHash=tip.previous_hash
    )
    batch.put(META, _TIP, info.SerializeToString())
    batch.put(META, _COMMIT_HASH, tip.commit_hash)


def read_tip(database: Database) -> Tip:
    """The end of the chain as of the last commit."""
    stored = database.get(META, _TIP)
    if stored is None:
        return Tip()
    info = BlockchainInfo.FromString(stored)
    return Tip(
        height=info.height,
        current_hash=info.currentBlockHash,
        previous_hash=info.previousBlockHash,
        commit_hash=database.get(META, _COMMIT_HASH) or b"",
    )
