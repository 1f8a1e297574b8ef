"""Checking a ledger against itself: chain intact, and everything else a replay of its blocks.

The replay judges all transactions anew in a scratch database (removed at the end, about as large
as the ledger), so state, history, indexes, codes and commit hashes are all compared with what
the blocks alone lead to.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from itertools import islice, zip_longest

from cryptography.exceptions import UnsupportedAlgorithm
from fabric_protos.common.common_pb2 import Block, BlockMetadataIndex
from fabric_protos.msp.identities_pb2 import SerializedIdentity
from fabric_protos.peer.transaction_pb2 import TxValidationCode
from google.protobuf.message import DecodeError
from treadle_fabric.identity import SignatureError, verify_signature
from treadle_fabric.identity.certificates import load_certificate
from treadle_fabric.wire import (
    WireError,
    block_data_hash,
    block_signatures,
    get_metadata,
    get_transactions_filter,
    parse,
    set_metadata,
    set_transactions_filter,
)

from treadle_peer.ledger.blocks import BlockStore
from treadle_peer.ledger.commits import prepare_commit
from treadle_peer.ledger.committed import LiveState
from treadle_peer.ledger.errors import LedgerError
from treadle_peer.ledger.families import BLOCKS, FAMILIES, HISTORY, INDEXES, LEDGER_FORMAT, STATE
from treadle_peer.ledger.rows import Tip, commit_batch, next_tip, read_tip
from treadle_peer.storage import BlockCache, Database, StorageError

_SCRATCH = "verifying"
_REPORTED = 5
_STATE_CODES = (TxValidationCode.MVCC_READ_CONFLICT, TxValidationCode.PHANTOM_READ_CONFLICT)


Progress = Callable[[int, int], None]
"""Told before each block: its number, and how many there are."""


def verify_database(
    database: Database, *, cache: BlockCache | None = None, progress: Progress | None = None
) -> list[str]:
    """What is wrong with a ledger's database, one sentence each; empty when all is well.

    Nobody may write meanwhile.
    """
    folder = database.path / _SCRATCH
    shutil.rmtree(folder, ignore_errors=True)
    try:
        with Database.open(
            folder, format=LEDGER_FORMAT, families=FAMILIES, cache=cache, durable=False
        ) as scratch:
            return list(_problems(database, scratch, progress or _silent))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _silent(number: int, height: int) -> None:
    pass


def _problems(database: Database, scratch: Database, progress: Progress) -> Iterator[str]:
    expected = read_tip(database)
    tip = Tip()
    for number in range(expected.height):
        progress(number, expected.height)
        try:
            block = BlockStore(database).read(number)
            yield from _header_problems(block, tip)
            yield from _signature_problems(block)
            yield from _replay(block, tip, scratch)
        except (LedgerError, StorageError, WireError, DecodeError, ValueError) as error:
            yield f"block {number} cannot be replayed: {error}"
            return
        tip = read_tip(scratch)
    if tip != expected:
        yield f"the chain ends with {tip}, but the ledger notes {expected}"
    for family in (BLOCKS, INDEXES, STATE, HISTORY):
        yield from islice(_differences(database, scratch, family), _REPORTED)


def _header_problems(block: Block, tip: Tip) -> Iterator[str]:
    header = block.header
    if header.number != tip.height:
        yield f"block {tip.height} says that it is block {header.number}"
    if header.previous_hash != tip.current_hash:
        yield f"block {tip.height} does not carry the hash of the block before it"
    if header.data_hash != block_data_hash(block.data.data):
        yield f"block {tip.height} holds other data than its header says"


def _signature_problems(block: Block) -> Iterator[str]:
    """Whether the orderers' signatures fit, each by the certificate that it names.

    Whether that is one of the channel's orderers was judged when the block came.
    """
    number = block.header.number
    try:
        signatures = block_signatures(block)
        for one in signatures:
            certificate = load_certificate(parse(SerializedIdentity, one.identity).id_bytes)
            verify_signature(certificate.public_key(), one.data, one.signature)
    except (WireError, SignatureError, UnsupportedAlgorithm, ValueError) as error:
        yield f"block {number} carries a signature that does not fit: {error}"
        return
    if number and not signatures and get_metadata(block, BlockMetadataIndex.SIGNATURES):
        yield f"block {number} carries no signature that can be read"


def _replay(block: Block, tip: Tip, scratch: Database) -> Iterator[str]:
    """Commit the block into *scratch* and compare its metadata."""
    before = Block()
    before.CopyFrom(block)
    codes = [0 if code in _STATE_CODES else code for code in get_transactions_filter(block)]
    set_transactions_filter(before, codes)
    set_metadata(before, BlockMetadataIndex.COMMIT_HASH, b"")
    prepared = prepare_commit(
        before, state=LiveState(scratch), previous_commit_hash=tip.commit_hash
    )
    if prepared.codes != get_transactions_filter(block):
        yield f"block {tip.height} has other validation codes than its transactions lead to"
    elif prepared.block.metadata != block.metadata:
        yield f"block {tip.height} has another commit hash than its transactions lead to"
    batch, _ = commit_batch(scratch, prepared, next_tip(prepared))
    scratch.write(batch)


def _differences(database: Database, scratch: Database, family: str) -> Iterator[str]:
    for kept, replayed in zip_longest(database.scan(family), scratch.scan(family)):
        if kept != replayed:
            key = min(each[0] for each in (kept, replayed) if each is not None)
            yield f"{family}: differs from the replay of the blocks at key {key[:80]!r}"
