"""A transaction in a block: judged, applied, filtered; a code for anything, always the same one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

from fabric_protos.common.common_pb2 import Block, ChannelHeader, Envelope, HeaderType, Payload
from fabric_protos.peer.transaction_pb2 import TxValidationCode
from fuzz.forging import Refit, refit_transaction
from fuzz.layers import edit_many
from fuzz.octets import Octets
from fuzz.validating import CAPABILITIES, honest, peer
from fuzz.world import consortium
from google.protobuf.message import DecodeError
from treadle_fabric.wire import (
    WireError,
    new_block,
    set_transactions_filter,
    sign_block,
    unpack_transaction,
)
from treadle_peer.commit.errors import BlockRefused, ValidationHalted
from treadle_peer.commit.state import LedgerState
from treadle_peer.commit.validator import validate_block
from treadle_peer.commit.verification import verify_block
from treadle_peer.ledger.commits import prepare_commit
from treadle_peer.ledger.committed import LiveState
from treadle_peer.services.deliver import Content, block_response

RAW = 0xFF


def seeds() -> Iterator[bytes]:
    """Every honest transaction on both kinds of channel, made consistent and raw."""
    for level, capability in enumerate(CAPABILITIES):
        for number, raw in enumerate(honest(capability)):
            yield bytes((level, number, 0))
            yield bytes((level, number, 15))
            yield bytes((level, RAW)) + raw


def one_input(data: bytes) -> None:
    """Judge the block [it, it again]: twice the same codes, applied without complaint."""
    octets = Octets(data)
    capability = octets.pick(CAPABILITIES)
    chosen = octets.byte()
    if chosen == RAW:
        raw = octets.rest()
    else:
        refit = Refit.chosen(octets)
        choices = honest(capability)
        raw = edit_many(Envelope, choices[chosen % len(choices)], octets)
        raw = refit_transaction(raw, refit)
    _unpack(raw)
    codes = _codes(raw, capability)
    assert codes == _codes(raw, capability)
    if codes is not None:
        _filter(raw, codes)


def _codes(raw: bytes, capability: str) -> list[int] | None:
    """Codes after MVCC; None where the block cannot be judged, which only a config may cause."""
    channel = peer(capability).channel()
    ledger, info = channel.ledger, channel.ledger.chain_info()
    data = [raw] if _type(raw) == HeaderType.CONFIG else [raw, raw]
    block = new_block(ledger.height, info.currentBlockHash, data)
    sign_block(block, signer=consortium().orderer, last_config=0)
    # No orderer of Fabric's would make some of these; what follows must hold all the same.
    with suppress(BlockRefused):
        verify_block(
            block,
            bundle=channel.bundle,
            height=ledger.height,
            previous_hash=info.currentBlockHash,
        )
    try:
        with ledger.reader() as reader:
            state = LedgerState(ledger, reader)
            verdict = validate_block(block, bundle=channel.bundle, state=state)
    except ValidationHalted:
        assert _type(raw) == HeaderType.CONFIG
        return None
    set_transactions_filter(block, verdict.codes)
    prepared = prepare_commit(
        block,
        state=LiveState(ledger._database),  # a commit would make the next input's world another
        previous_commit_hash=ledger.commit_hash,
    )
    assert prepared.codes[-1] != TxValidationCode.VALID or len(data) == 1, "applied twice"
    return prepared.codes


_ENDORSED = HeaderType.ENDORSER_TRANSACTION


def _type(raw: bytes) -> int | None:
    try:
        payload = Payload.FromString(Envelope.FromString(raw).payload)
        return int(ChannelHeader.FromString(payload.header.channel_header).type)
    except DecodeError:
        return None


def _unpack(raw: bytes) -> None:
    try:
        unpacked = unpack_transaction(raw)
    except WireError:
        return
    assert unpacked.envelope.channel_header.type == _ENDORSED


def _filter(raw: bytes, codes: list[int]) -> None:
    block = Block()
    block.data.data.append(raw)
    set_transactions_filter(block, codes[:1])
    try:
        block_response(block.SerializeToString(), Content.FILTERED)
    except WireError:
        return
