"""Blocks, their metadata slots, and the orderer's signature."""

from __future__ import annotations

import pytest
from fabric_protos.common.common_pb2 import (
    Block,
    BlockMetadataIndex,
    ChannelHeader,
    Envelope,
    Header,
    HeaderType,
    LastConfig,
    Metadata,
    Payload,
)
from fabric_protos.orderer.ab_pb2 import SeekInfo, SeekNewest, SeekPosition
from treadle_fabric.wire import (
    METADATA_SLOTS,
    WireError,
    block_data_hash,
    block_header_bytes,
    block_signatures,
    build_envelope,
    build_seek_envelope,
    channel_id_of,
    fill_metadata,
    get_metadata,
    get_transactions_filter,
    is_config_block,
    last_config_index,
    new_block,
    set_metadata,
    set_transactions_filter,
    sign_block,
    unpack_payload,
)


def entry(kind, channel="ch"):
    header = ChannelHeader(type=kind, channel_id=channel).SerializeToString()
    payload = Payload(header=Header(channel_header=header))
    return Envelope(payload=payload.SerializeToString()).SerializeToString()


def test_a_new_block_has_its_data_hash_and_five_slots():
    block = new_block(3, b"previous", [b"one", b"two"])
    assert (block.header.number, block.header.previous_hash) == (3, b"previous")
    assert block.header.data_hash == block_data_hash([b"one", b"two"])
    assert list(block.metadata.metadata) == [b""] * METADATA_SLOTS


def test_slots_of_old_orderers_are_filled_up_and_kept():
    block = Block()
    block.metadata.metadata.extend([b"signatures", b"last config", b""])
    fill_metadata(block)
    assert list(block.metadata.metadata) == [b"signatures", b"last config", b"", b"", b""]
    block.metadata.metadata.append(b"sixth")
    fill_metadata(block)
    assert len(block.metadata.metadata) == 6


def test_an_absent_slot_reads_as_empty():
    assert get_metadata(Block(), BlockMetadataIndex.ORDERER) == b""
    assert get_transactions_filter(Block()) == []


def test_the_filter_is_one_byte_per_transaction():
    block = new_block(1, b"", [b""] * 3)
    set_transactions_filter(block, [0, 11, 255])
    assert get_metadata(block, BlockMetadataIndex.TRANSACTIONS_FILTER) == b"\x00\x0b\xff"
    assert get_transactions_filter(block) == [0, 11, 255]


def test_the_last_config_index_is_zero_until_one_is_written():
    assert last_config_index(new_block(0, b"", [])) == 0


def test_the_last_config_index_is_read_from_the_old_slot_too():
    block = new_block(9, b"", [])
    old = Metadata(value=LastConfig(index=5).SerializeToString())
    set_metadata(block, BlockMetadataIndex.LAST_CONFIG, old.SerializeToString())
    assert last_config_index(block) == 5


def test_the_signed_slot_wins_over_the_old_one(signer):
    block = new_block(9, b"", [])
    sign_block(block, signer=signer, last_config=4)
    old = Metadata(value=LastConfig(index=5).SerializeToString())
    set_metadata(block, BlockMetadataIndex.LAST_CONFIG, old.SerializeToString())
    assert last_config_index(block) == 4


def test_an_unreadable_slot_is_named(signer):
    block = new_block(9, b"", [])
    set_metadata(block, BlockMetadataIndex.SIGNATURES, b"\xff")
    with pytest.raises(WireError, match=r"error unmarshalling metadata at index \[SIGNATURES\]"):
        last_config_index(block)


def test_an_orderers_signature_covers_value_header_and_block(signer):
    block = new_block(9, b"previous", [b"data"])
    sign_block(block, signer=signer, last_config=4, consenter_metadata=b"raft")
    (signature,) = block_signatures(block)
    assert signature.identity == b"creator"
    assert signature.signature == signer.sign(signature.data)
    metadata = Metadata.FromString(get_metadata(block, BlockMetadataIndex.SIGNATURES))
    assert signature.data == (
        metadata.value + metadata.signatures[0].signature_header + block_header_bytes(block.header)
    )


def test_the_older_slot_repeats_the_last_config_unsigned_and_is_empty_for_block_0(signer):
    block = new_block(9, b"", [])
    sign_block(block, signer=signer, last_config=0)
    assert get_metadata(block, BlockMetadataIndex.LAST_CONFIG) == b""
    sign_block(block, signer=signer, last_config=4)
    older = Metadata(value=LastConfig(index=4).SerializeToString())
    assert get_metadata(block, BlockMetadataIndex.LAST_CONFIG) == older.SerializeToString()


def test_an_unsigned_block_has_no_signatures():
    assert block_signatures(new_block(0, b"", [])) == ()


def test_the_channel_is_that_of_the_first_entry():
    block = new_block(1, b"", [entry(HeaderType.ENDORSER_TRANSACTION, "mine"), b"\xff"])
    assert channel_id_of(block) == "mine"


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ([], "failed to retrieve channel id - block is empty"),
        ([b""], "failed to retrieve channel id - payload header is empty"),
        ([b"\xff"], "error unmarshalling Envelope"),
    ],
)
def test_blocks_without_a_channel(data, text):
    with pytest.raises(WireError, match=text):
        channel_id_of(new_block(1, b"", data))


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ([entry(HeaderType.CONFIG)], True),
        ([entry(HeaderType.ENDORSER_TRANSACTION)], False),
        ([entry(HeaderType.CONFIG), entry(HeaderType.CONFIG)], False),
        ([b"\xff"], False),
        ([], False),
    ],
)
def test_a_config_block_holds_one_config_transaction(data, expected):
    assert is_config_block(new_block(1, b"", data)) is expected


def test_a_seek_request_is_signed_and_bound_to_the_connection(signer):
    newest = SeekPosition(newest=SeekNewest())
    envelope = build_seek_envelope(
        signer=signer, channel_id="ch", start=newest, stop=newest, tls_cert_hash=b"hash"
    )
    payload = unpack_payload(envelope)
    assert payload.channel_header.type == HeaderType.DELIVER_SEEK_INFO
    assert payload.channel_id == "ch"
    assert payload.channel_header.tls_cert_hash == b"hash"
    assert payload.channel_header.HasField("timestamp")
    assert payload.signature == signer.sign(envelope.payload)
    assert SeekInfo.FromString(payload.data).start == newest


def test_unpacking_keeps_the_raw_headers(signer):
    envelope = build_envelope(
        signer=signer, header_type=HeaderType.CONFIG_UPDATE, channel_id="ch", data=b"data"
    )
    payload = unpack_payload(envelope)
    assert payload.raw == envelope.payload
    assert payload.channel_header.SerializeToString() == payload.channel_header_bytes
    assert (payload.creator, payload.data) == (b"creator", b"data")


def test_an_envelope_without_header_is_refused():
    with pytest.raises(WireError, match="envelope must have a Header"):
        unpack_payload(Envelope(payload=Payload(data=b"x").SerializeToString()))
