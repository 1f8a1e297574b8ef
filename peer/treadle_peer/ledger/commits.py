"""From a validated block to everything that its commit writes. Reads the state, writes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fabric_protos.common.common_pb2 import Block, BlockMetadataIndex, Metadata
from fabric_protos.ledger.rwset.kvrwset.kv_rwset_pb2 import KVRWSet, KVWrite
from fabric_protos.peer.transaction_pb2 import TxValidationCode
from treadle_fabric.wire import WireError, set_metadata, set_transactions_filter

from treadle_peer.ledger.effects import apply_writes
from treadle_peer.ledger.errors import LedgerError
from treadle_peer.ledger.mvcc import CommittedState, Validator
from treadle_peer.ledger.transactions import (
    Entry,
    NamespaceSet,
    read_entry,
    read_results,
    read_sets,
)
from treadle_peer.ledger.updates import BlockUpdates, commit_hash
from treadle_peer.ledger.values import Version

CONFIG_NAMESPACE = ""
CONFIG_KEY = "CHANNEL_CONFIG_ENV_BYTES"

_VALID = TxValidationCode.VALID


@dataclass(frozen=True, slots=True)
class KeyWritten:
    """One row of history: the transaction at index ``tx`` wrote ``key``."""

    namespace: str
    key: str
    tx: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparedCommit:
    """A block with final codes and commit hash, and what it changes."""

    block: Block
    codes: list[int]
    tx_ids: list[str]
    updates: BlockUpdates
    history: list[KeyWritten]
    commit_hash: bytes


class _Judgement:
    """Works through the entries of one block in order."""

    def __init__(self, block: int, state: CommittedState) -> None:
        self._block = block
        self._state = state
        self.updates = BlockUpdates()
        self.history: list[KeyWritten] = []
        self._validator = Validator(state, self.updates)

    def judge(self, index: int, entry: Entry) -> int:
        """The final code of an entry that the checks before found valid; applies its writes."""
        if entry.is_config:
            self._apply(index, [_config_set(entry)])
            return _VALID
        if not entry.is_endorsed:
            return _VALID
        results = read_results(entry)
        if results is None:
            return TxValidationCode.NIL_TXACTION
        try:
            sets = read_sets(results)
        except WireError:
            return TxValidationCode.INVALID_OTHER_REASON
        self._refuse_collections(index, sets)
        code = self._validator.judge(sets)
        if code == _VALID:
            self._apply(index, sets)
            self._remember(index, sets)
        return code

    def _apply(self, index: int, sets: Sequence[NamespaceSet]) -> None:
        version = Version(self._block, index)
        apply_writes(sets, version=version, state=self._state, updates=self.updates)

    def _remember(self, index: int, sets: Sequence[NamespaceSet]) -> None:
        self.history += [
            KeyWritten(each.namespace, write.key, index)
            for each in sets
            for write in each.content.writes
        ]

    def _refuse_collections(self, index: int, sets: Sequence[NamespaceSet]) -> None:
        for each in sets:
            if each.has_collections:
                raise LedgerError(
                    f"block [{self._block}], transaction [{index}] uses private data of "
                    f"[{each.namespace}], which this version of Treadle cannot commit"
                )


def prepare_commit(
    block: Block, *, state: CommittedState, previous_commit_hash: bytes
) -> PreparedCommit:
    """Judge the transactions of *block* and collect its effects.

    Slot TRANSACTIONS_FILTER must hold a final code or VALID for each. The final codes and the
    commit hash are written into *block* itself: it may be too large to have it twice. Raises
    LedgerError when there are no codes, or for what this ledger cannot commit.
    """
    number = block.header.number
    codes = _given_codes(block)
    tx_ids = []
    judgement = _Judgement(number, state)
    for index, envelope in enumerate(block.data.data):
        entry = read_entry(envelope)
        tx_ids.append(entry.tx_id)
        if codes[index] == _VALID:
            codes[index] = judgement.judge(index, entry)
    set_transactions_filter(block, codes)
    link = b""
    # The chain of commit hashes starts behind the genesis block.
    if number == 1 or previous_commit_hash:
        link = commit_hash(
            codes=bytes(codes), updates=judgement.updates, previous=previous_commit_hash
        )
        slot = Metadata(value=link).SerializeToString()
        set_metadata(block, BlockMetadataIndex.COMMIT_HASH, slot)
    return PreparedCommit(
        block=block,
        codes=codes,
        tx_ids=tx_ids,
        updates=judgement.updates,
        history=judgement.history,
        commit_hash=link,
    )


def _given_codes(block: Block) -> list[int]:
    slots = block.metadata.metadata
    index = BlockMetadataIndex.TRANSACTIONS_FILTER
    codes = list(slots[index]) if len(slots) > index else []
    if len(codes) != len(block.data.data):
        raise LedgerError(
            f"block [{block.header.number}] has {len(block.data.data)} transactions but "
            f"{len(codes)} validation codes"
        )
    return codes


def _config_set(entry: Entry) -> NamespaceSet:
    if not entry.data:
        raise LedgerError("channel config found nil")
    write = KVWrite(key=CONFIG_KEY, value=bytes(entry.data))
    return NamespaceSet(CONFIG_NAMESPACE, KVRWSet(writes=[write]), has_collections=False)
