"""Blocks that a peer does not take: it stays where it is and takes the right one next (§5.3)."""

from __future__ import annotations

from fabric_protos.common.common_pb2 import Block, Envelope
from harness.differential.blocks_crafting import sign
from harness.differential.blocks_talk import BlocksTalk
from harness.differential.catalog import conversation
from treadle_fabric.wire import block_data_hash


def resigned(talk: BlocksTalk, block: Block) -> Block:
    """*block* with the orderer's signature over its header as it is now."""
    sign(block, last_config=0, signers=[talk.cast.orderer])
    return block


@conversation("blkunsigned", "a block must be signed by an orderer", "5.3", rig="blocks")
async def unsigned(talk: BlocksTalk) -> None:
    cast = talk.cast
    await talk.open()
    for signers in ([], [cast.peer], [cast.stranger]):
        await talk.hand(talk.block(talk.change(a="1"), signers=signers))
    await talk.commit(talk.change(a="2"))
    await talk.chain()


@conversation("blktampered", "a block must be what its orderer signed", "5.3", rig="blocks")
async def tampered(talk: BlocksTalk) -> None:
    await talk.open()
    block = talk.block(talk.change(a="1"))
    block.header.data_hash = b"x" * 32
    await talk.hand(block)
    block = talk.block(talk.change(a="1"))
    block.data.data[0] = talk.change(a="2")
    await talk.hand(block)
    block = talk.block(talk.change(a="1"))
    block.metadata.metadata[0] = block.metadata.metadata[0][:-1] + b"x"
    await talk.hand(block)
    await talk.commit(talk.change(a="3"))


@conversation("blknometadata", "a block must have readable metadata", "5.3", rig="blocks")
async def metadata(talk: BlocksTalk) -> None:
    await talk.open()
    block = talk.block(talk.change(a="1"))
    block.ClearField("metadata")
    await talk.hand(block)
    block = talk.block(talk.change(a="1"))
    block.metadata.metadata[0] = b"\xff"
    await talk.hand(block)
    block = talk.block(talk.change(a="1"))
    del block.metadata.metadata[0]
    await talk.hand(block)
    await talk.commit(talk.change(a="3"))


@conversation("blknotours", "a block must be of the channel and not empty", "5.3", rig="blocks")
async def foreign(talk: BlocksTalk) -> None:
    await talk.open()
    await talk.hand(talk.block(talk.forge(channel_id="elsewhere")))
    await talk.hand(talk.block())
    await talk.hand(talk.block(b"\xff"))
    await talk.hand(talk.block(talk.forge(payload=b"\xff"), talk.change(a="1")))
    await talk.commit(talk.change(a="1"), talk.forge(channel_id="elsewhere"))


@conversation(
    "blkmalformed",
    "a block whose envelopes are not in their usual form is not taken",
    "5.3",
    rig="blocks",
)
async def malformed(talk: BlocksTalk) -> None:
    await talk.open()
    good = talk.change(a="1")
    envelope = Envelope.FromString(good)
    no_signature = Envelope(payload=envelope.payload).SerializeToString()
    no_payload = Envelope(signature=envelope.signature).SerializeToString()
    swapped = no_payload + no_signature
    unknown = good + b"\xf8\x7f\x01"
    longer = b"\x0a\x00" + good
    for entry in (no_signature, no_payload, swapped, unknown, longer, b"", b"\xff"):
        await talk.hand(talk.block(good, entry))
    await talk.commit(good)


@conversation(
    "blkboundaries",
    "entries may not be cut elsewhere under the same data hash",
    "5.3",
    rig="blocks",
)
async def boundaries(talk: BlocksTalk) -> None:
    await talk.open()
    first, second = talk.change(a="1"), talk.change(b="1")
    block = talk.block(first + second)
    assert block.header.data_hash == block_data_hash([first, second])
    await talk.hand(block)
    block = talk.block(first, second)
    await talk.hand(block)
