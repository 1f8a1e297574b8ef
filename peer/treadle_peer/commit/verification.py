"""Is this block the next one, untampered, and signed by the channel's orderers?

fabric-wire.md §5.3, last paragraphs. Everything is checked before a transaction is looked at.
"""

from __future__ import annotations

from fabric_protos.common.common_pb2 import Block, Envelope
from treadle_fabric.channelconfig import Bundle
from treadle_fabric.policy import PolicyError, SignedData
from treadle_fabric.wire import (
    Octets,
    WireError,
    block_data_hash,
    block_signatures,
    channel_id_of,
    is_config_block,
    length_delimited_start,
    parse_apart,
    serialize,
)

from treadle_peer.commit.errors import BlockRefused

BLOCK_VALIDATION = "/Channel/Orderer/BlockValidation"


def verify_block(block: Block, *, bundle: Bundle, height: int, previous_hash: bytes) -> None:
    """Raise BlockRefused unless *block* continues the chain of *bundle*'s channel at *height*.

    *previous_hash* is the header hash of block ``height - 1``.
    """
    try:
        _check_position(block, height=height, previous_hash=previous_hash)
        _check_content(block, bundle.channel_id)
        _check_signatures(block, bundle)
    except WireError as error:
        raise BlockRefused(_about(block, bundle, str(error))) from error
    except BlockRefused as error:
        raise BlockRefused(_about(block, bundle, str(error))) from None


def _about(block: Block, bundle: Bundle, reason: str) -> str:
    return f"[{bundle.channel_id}] block {block.header.number} refused: {reason}"


def _check_position(block: Block, *, height: int, previous_hash: bytes) -> None:
    if block.header.number != height:
        raise BlockRefused(f"expected block number {height}")
    if block.header.previous_hash != previous_hash:
        expected, received = previous_hash.hex(), block.header.previous_hash.hex()
        raise BlockRefused(
            f"unexpected Previous block hash. Expected PreviousHash = [{expected}], "
            f"PreviousHash referred in the latest block= [{received}]"
        )


def _check_content(block: Block, channel_id: str) -> None:
    if not block.metadata.metadata:
        raise BlockRefused("it does not have metadata")
    found = channel_id_of(block)
    if found != channel_id:
        raise BlockRefused(f"invalid channel id. Expected [{channel_id}]. Given [{found}]")
    if not is_config_block(block):
        _check_well_formed(block)
    if block_data_hash(block.data.data) != block.header.data_hash:
        raise BlockRefused("Header.DataHash is different from Hash(block.Data)")


def _check_well_formed(block: Block) -> None:
    """The data hash has no length prefixes: only canonical envelopes pin the boundaries."""
    for position, raw in enumerate(block.data.data):
        envelope, payload = parse_apart(Envelope, raw, "payload")
        if not payload:
            raise BlockRefused(f"transaction {position} has no payload")
        if not envelope.signature:
            raise BlockRefused(f"transaction {position} has no signature")
        if not _is_canonical(raw, payload=payload, rest=serialize(envelope)):
            raise BlockRefused(f"transaction {position} does not match its raw form")


def _is_canonical(raw: bytes, *, payload: Octets, rest: bytes) -> bool:
    """Whether *raw* is what *payload* and the *rest* of the envelope marshal to; copies nothing."""
    start = length_delimited_start(Envelope.PAYLOAD_FIELD_NUMBER, len(payload))
    end = len(start) + len(payload)
    return raw.startswith(start) and raw[end:] == rest


def _check_signatures(block: Block, bundle: Bundle) -> None:
    signed = [
        SignedData(data=entry.data, identity=entry.identity, signature=entry.signature)
        for entry in block_signatures(block)
    ]
    try:
        bundle.policies.policy(BLOCK_VALIDATION).evaluate(signed)
    except PolicyError as error:
        raise BlockRefused(f"policy {BLOCK_VALIDATION} is not satisfied: {error}") from error
