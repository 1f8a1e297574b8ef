"""Blocks: making them, their metadata slots, the orderer's signature (fabric-wire.md §5.3)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain

from fabric_protos.common.common_pb2 import (
    Block,
    BlockData,
    BlockHeader,
    BlockMetadataIndex,
    ChannelHeader,
    Envelope,
    HeaderType,
    LastConfig,
    Metadata,
    MetadataSignature,
    OrdererBlockMetadata,
    Payload,
    SignatureHeader,
)

from treadle_fabric.wire.apart import parse_apart
from treadle_fabric.wire.envelopes import SignerLike, build_signature_header
from treadle_fabric.wire.hashing import block_data_hash, block_header_bytes
from treadle_fabric.wire.messages import Octets, WireError, parse, serialize
from treadle_fabric.wire.missing import length_delimited_start

METADATA_SLOTS = 5


@dataclass(frozen=True, slots=True)
class BlockSignature:
    """One orderer's signature: ``data`` is what ``identity`` (serialised) signed."""

    data: bytes
    identity: bytes
    signature: bytes


def new_block(number: int, previous_hash: bytes, data: Sequence[bytes]) -> Block:
    """A block of marshalled envelopes with its data hash and five empty metadata slots."""
    block = block_frame(number, previous_hash, data)
    block.data.data.extend(data)
    return block


def block_frame(number: int, previous_hash: bytes, data: Sequence[bytes]) -> Block:
    """What ``new_block`` gives, but without the data; for ``marshal_block``."""
    block = Block(
        header=BlockHeader(
            number=number, previous_hash=previous_hash, data_hash=block_data_hash(data)
        )
    )
    fill_metadata(block)
    return block


def marshal_block(frame: Block, data: Sequence[bytes]) -> bytes:
    """The marshalled block of *frame*'s header and metadata and of *data*, copied only once."""
    starts = [length_delimited_start(BlockData.DATA_FIELD_NUMBER, len(each)) for each in data]
    size = sum(map(len, starts)) + sum(map(len, data))
    pieces = (
        serialize(Block(header=frame.header)),
        length_delimited_start(Block.DATA_FIELD_NUMBER, size),
        *chain.from_iterable(zip(starts, data, strict=True)),
        serialize(Block(metadata=frame.metadata)),
    )
    return b"".join(pieces)


def fill_metadata(block: Block) -> None:
    """Append empty slots until *block* has five; SDKs need at least three."""
    slots = block.metadata.metadata
    slots.extend([b""] * (METADATA_SLOTS - len(slots)))


def get_metadata(block: Block, slot: BlockMetadataIndex.ValueType) -> bytes:
    """The raw bytes of a metadata slot; an absent slot reads as empty."""
    slots = block.metadata.metadata
    return slots[slot] if len(slots) > slot else b""


def set_metadata(block: Block, slot: BlockMetadataIndex.ValueType, value: bytes) -> None:
    """Replace the raw bytes of a metadata slot."""
    fill_metadata(block)
    block.metadata.metadata[slot] = value


def get_transactions_filter(block: Block) -> list[int]:
    """The validation code of every transaction; empty when no peer has written the slot."""
    return list(get_metadata(block, BlockMetadataIndex.TRANSACTIONS_FILTER))


def set_transactions_filter(block: Block, codes: Iterable[int]) -> None:
    """Write one byte per transaction, VALID being 0 (trap 51)."""
    set_metadata(block, BlockMetadataIndex.TRANSACTIONS_FILTER, bytes(codes))


def last_config_index(block: Block) -> int:
    """Number of the latest config block at *block*.

    Read from the orderer's signed metadata, or from the older slot; both are empty as long as
    it is 0. Raises WireError when a slot is unreadable.
    """
    signed = _metadata(block, BlockMetadataIndex.SIGNATURES)
    if signed.value:
        return parse(OrdererBlockMetadata, signed.value).last_config.index
    older = _metadata(block, BlockMetadataIndex.LAST_CONFIG)
    return parse(LastConfig, older.value).index


def sign_block(
    block: Block, *, signer: SignerLike, last_config: int, consenter_metadata: bytes = b""
) -> None:
    """Write slots SIGNATURES and LAST_CONFIG as an orderer does before a block leaves it.

    Only the first is signed; the second, for older readers, repeats the index without a signature
    and is empty as long as that is 0.
    """
    index = LastConfig(index=last_config)
    value = serialize(
        OrdererBlockMetadata(last_config=index, consenter_metadata=consenter_metadata)
    )
    header = serialize(build_signature_header(signer))
    signature = signer.sign(block_signature_bytes(value, header, block.header))
    entry = MetadataSignature(signature_header=header, signature=signature)
    signed = Metadata(value=value, signatures=[entry])
    set_metadata(block, BlockMetadataIndex.SIGNATURES, serialize(signed))
    older = Metadata(value=serialize(index))
    set_metadata(block, BlockMetadataIndex.LAST_CONFIG, serialize(older))


def block_signature_bytes(value: bytes, signature_header: bytes, header: BlockHeader) -> bytes:
    """What an orderer signs: metadata value, its signature header, the DER block header."""
    return value + signature_header + block_header_bytes(header)


def block_signatures(block: Block) -> tuple[BlockSignature, ...]:
    """The orderers' signatures, ready for policy ``/Channel/Orderer/BlockValidation``.

    Raises WireError when the slot or a signature header is unreadable.
    """
    metadata = _metadata(block, BlockMetadataIndex.SIGNATURES)
    return tuple(
        BlockSignature(
            data=block_signature_bytes(metadata.value, entry.signature_header, block.header),
            identity=parse(SignatureHeader, entry.signature_header).creator,
            signature=entry.signature,
        )
        for entry in metadata.signatures
    )


def first_payload(block: Block) -> Payload:
    """The payload of the first envelope; raises WireError when the block has none."""
    return parse(Payload, _first_payload_bytes(block))


def _first_payload_bytes(block: Block) -> Octets:
    if not block.data.data:
        raise WireError("failed to retrieve channel id - block is empty")
    return parse_apart(Envelope, block.data.data[0], "payload")[1]


def _first_header(block: Block) -> Payload:
    """The first payload without its data, which can be large."""
    return parse_apart(Payload, _first_payload_bytes(block), "data")[0]


def channel_id_of(block: Block) -> str:
    """The channel named by the first envelope; raises WireError when it cannot be read."""
    payload = _first_header(block)
    if not payload.HasField("header"):
        raise WireError("failed to retrieve channel id - payload header is empty")
    return parse(ChannelHeader, payload.header.channel_header).channel_id


def is_config_block(block: Block) -> bool:
    """Whether the only entry is a CONFIG transaction (config always has its own block)."""
    if len(block.data.data) != 1:
        return False
    try:
        header = _first_header(block).header
        return parse(ChannelHeader, header.channel_header).type == HeaderType.CONFIG
    except WireError:
        return False


def _metadata(block: Block, slot: BlockMetadataIndex.ValueType) -> Metadata:
    try:
        return parse(Metadata, get_metadata(block, slot))
    except WireError as error:
        name = BlockMetadataIndex.Name(slot)
        raise WireError(f"error unmarshalling metadata at index [{name}]") from error
