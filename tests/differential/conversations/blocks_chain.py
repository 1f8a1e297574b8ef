"""Blocks, their metadata and hashes, and how they are found again (wire §5.3)."""

from __future__ import annotations

from fabric_protos.common.common_pb2 import (
    BlockMetadataIndex,
    Envelope,
    LastConfig,
    Metadata,
    OrdererBlockMetadata,
)
from harness.differential.blocks_crafting import sign
from harness.differential.blocks_talk import BlocksTalk
from harness.differential.catalog import conversation
from treadle_fabric.wire import block_header_hash, serialize, set_metadata, unpack_payload


@conversation("blkplain", "a peer adds codes and a commit hash to a block", "5.3", rig="blocks")
async def plain(talk: BlocksTalk) -> None:
    await talk.open()
    await talk.commit(talk.change(a="1"), talk.change(b="2"))
    await talk.commit(talk.change(a="3"))
    await talk.chain()
    await talk.probe("range a z", "get a", "get b")
    await talk.qscc("GetBlockByNumber", "2", hint="common.Block")
    for number in ("0", "1", "3", str(2**64 - 1)):
        await talk.qscc("GetBlockByNumber", number)


@conversation("blkhash", "a block is found by the hash of its header", "5.3", "4.7", rig="blocks")
async def by_hash(talk: BlocksTalk) -> None:
    await talk.open()
    header_hash = block_header_hash(talk.head.header)
    unknown = b"x" * 32
    await talk.commit(talk.change(a="1"))
    for value in (header_hash, talk.head.header.previous_hash, unknown, b""):
        await talk.qscc("GetBlockByHash", value)


@conversation(
    "blktxids", "valid and invalid transactions are found by id", "5.3", "4.7", rig="blocks"
)
async def by_id(talk: BlocksTalk) -> None:
    await talk.open()
    good, conflict = talk.change(a="1"), talk.change(a="2", reads={"a": (9, 9)})
    unsigned = talk.forge(signature=b"none")
    wrong_id = talk.forge(tx_id="mine")
    await talk.commit(good, conflict, unsigned, wrong_id)
    ids = [
        unpack_payload(Envelope.FromString(raw)).channel_header.tx_id
        for raw in (good, conflict, unsigned, wrong_id)
    ]
    for tx_id in (*ids, "unknown", ""):
        await talk.qscc("GetTransactionByID", tx_id, hint="protos.ProcessedTransaction")
        await talk.qscc("GetBlockByTxID", tx_id)


@conversation("blksizes", "blocks of one and of many transactions", "5.3", rig="blocks")
async def sizes(talk: BlocksTalk) -> None:
    await talk.open()
    for count in (1, 2, 12):
        await talk.commit(*(talk.change(**{f"k{index}": str(count)}) for index in range(count)))
    await talk.chain()
    await talk.probe("range k l")


@conversation("blkbytes", "keys and values of any bytes enter the commit hash", "5.3", rig="blocks")
async def any_bytes(talk: BlocksTalk) -> None:
    await talk.open()
    for key in ("ü", "\U0001f600", "a\0b", "\0comp\0", " ", "\x7f", "~", "k" * 300):
        await talk.commit(talk.change(**{key: "v"}))
    await talk.commit(talk.change(large="v" * 70_000), talk.change(binary="\0\x01"))
    await talk.probe("range a ")


@conversation("blkslots", "a block may come with fewer or more metadata slots", "5.3", rig="blocks")
async def slots(talk: BlocksTalk) -> None:
    await talk.open()
    for count in (1, 2, 3, 4):
        block = talk.block(talk.change(a=str(count)))
        del block.metadata.metadata[count:]
        await talk.hand(block)
    block = talk.block(talk.change(a="6"))
    block.metadata.metadata.append(b"a sixth")
    await talk.hand(block)


@conversation(
    "blkfilled",
    "what an orderer writes into the slots of the peer is replaced",
    "5.3",
    rig="blocks",
)
async def filled(talk: BlocksTalk) -> None:
    await talk.open()
    block = talk.block(talk.change(a="1"), talk.change(a="2", reads={"a": (9, 9)}))
    set_metadata(block, BlockMetadataIndex.TRANSACTIONS_FILTER, b"\x0b\x00\x07")
    set_metadata(block, BlockMetadataIndex.ORDERER, b"an orderer's own")
    set_metadata(block, BlockMetadataIndex.COMMIT_HASH, b"not a hash")
    await talk.hand(block)
    await talk.commit(talk.change(a="3"))


@conversation("blkolder", "blocks signed as 1.4 orderers sign them are taken", "5.3", rig="blocks")
async def older(talk: BlocksTalk) -> None:
    """The value of slot SIGNATURES is empty there."""
    await talk.open()
    block = talk.block(talk.change(a="1"))
    sign(block, last_config=0, signers=[talk.cast.orderer], value=b"")
    await talk.hand(block)
    block = talk.block(talk.change(a="2"))
    last = Metadata(value=serialize(LastConfig(index=7)))
    set_metadata(block, BlockMetadataIndex.LAST_CONFIG, serialize(last))
    await talk.hand(block)
    metadata = OrdererBlockMetadata(
        last_config=LastConfig(index=3), consenter_metadata=b"consensus"
    )
    block = talk.block(talk.change(a="3"))
    sign(block, last_config=3, signers=[talk.cast.orderer], value=serialize(metadata))
    await talk.hand(block)


@conversation(
    "blksigners", "one good signature among others is enough for a block", "5.3", rig="blocks"
)
async def signers(talk: BlocksTalk) -> None:
    cast = talk.cast
    await talk.open()
    for each in ([cast.orderer, cast.orderer], [cast.stranger, cast.orderer, cast.peer]):
        await talk.hand(talk.block(talk.change(a="1"), signers=each))


@conversation(
    "blkcommithash",
    "only what is valid and changes something enters the commit hash",
    "5.3",
    rig="blocks",
)
async def commit_hash(talk: BlocksTalk) -> None:
    await talk.open(deployed=("probe", "other"))
    await talk.commit(talk.forge(results=b""))
    await talk.commit(talk.forge(signature=b"none"))
    await talk.commit(talk.change(policies={"missing": "Org1MSP"}))
    await talk.commit(talk.change(reads={"missing": None}))
    await talk.commit(talk.change(b="", a="1"), talk.change(b="2"), talk.change(a=""))
    await talk.commit(talk.change(missing=""))
