"""The committer: what it refuses, what it survives, what it announces."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from fabric_protos.common.common_pb2 import Block, HeaderType
from fabric_protos.common.configtx_pb2 import ConfigEnvelope
from harness.crafting import Forgery, results, write_set
from harness.onepeer import CHANNEL, OnePeer
from treadle_fabric.wire import (
    block_data_hash,
    build_envelope,
    new_block,
    serialize,
    sign_block,
)
from treadle_peer.commit import BlockRefused, Committer, ValidationHalted


def invoke(peer: OnePeer, **changes: object) -> bytes:
    made: dict[str, object] = {
        "creator": peer.consortium.client,
        "endorsers": [peer.consortium.peer],
        "results": results(("cc", write_set(writes={"k": "v"}))),
        "chaincode": "cc",
    }
    return Forgery(**(made | changes)).envelope()  # type: ignore[arg-type]


async def refusal(peer: OnePeer, block: Block) -> str:
    height = peer.channel().ledger.height
    with pytest.raises(BlockRefused) as refused:
        await peer.committer().deliver(block)
    assert peer.channel().ledger.height == peer.channel().height == height
    return str(refused.value)


async def test_only_the_next_block_is_taken(peer: OnePeer) -> None:
    block = peer.next_block(invoke(peer))
    await peer.committer().deliver(block)
    assert "expected block number 2" in await refusal(peer, block)
    later = peer.next_block(invoke(peer))
    later.header.number = 3
    assert "expected block number 2" in await refusal(peer, later)


async def test_a_block_of_another_chain_is_refused(peer: OnePeer) -> None:
    block = new_block(1, b"\x00" * 32, [invoke(peer)])
    sign_block(block, signer=peer.consortium.orderer, last_config=0)
    assert "unexpected Previous block hash" in await refusal(peer, block)


async def test_changed_data_is_refused(peer: OnePeer) -> None:
    block = peer.next_block(invoke(peer), invoke(peer))
    del block.data.data[1]
    assert "Header.DataHash is different" in await refusal(peer, block)


async def test_moved_boundaries_between_transactions_are_refused(peer: OnePeer) -> None:
    first, second = invoke(peer), invoke(peer)
    block = peer.next_block(first, second)
    block.data.data[:] = [first + second]
    assert block_data_hash(block.data.data) == block.header.data_hash
    assert "does not match its raw form" in await refusal(peer, block)


async def test_only_the_channels_orderers_sign_blocks(peer: OnePeer) -> None:
    block = peer.next_block(invoke(peer))
    sign_block(block, signer=peer.consortium.admin, last_config=0)
    assert "policy /Channel/Orderer/BlockValidation" in await refusal(peer, block)
    signed = peer.next_block(invoke(peer))
    signed.metadata.metadata[0] = b""
    assert "policy /Channel/Orderer/BlockValidation" in await refusal(peer, signed)


async def test_a_block_of_another_channel_is_refused(peer: OnePeer) -> None:
    block = peer.next_block(invoke(peer, channel_id="elsewhere"))
    assert "invalid channel id. Expected [ch]. Given [elsewhere]" in await refusal(peer, block)


async def test_codes_are_written_into_the_block_and_nothing_else_of_it_changes(
    peer: OnePeer,
) -> None:
    await peer.instantiate("cc")
    block = peer.next_block(invoke(peer), invoke(peer, endorsers=[]))
    before = Block()
    before.CopyFrom(block)
    committed = await peer.committer().deliver(block)
    assert committed.block is block
    assert (block.header, block.data) == (before.header, before.data)
    assert committed.block.metadata.metadata[2] == bytes(committed.codes) == b"\x00\x0a"


async def test_a_transaction_without_header_is_marked(peer: OnePeer) -> None:
    await peer.instantiate("cc")
    codes = (await peer.commit(invoke(peer), invoke(peer, headerless=True))).codes
    assert codes == [0, 3]


async def test_unreadable_actions_do_not_stop_the_block(peer: OnePeer) -> None:
    await peer.instantiate("cc")
    codes = (await peer.commit(invoke(peer, action=b"\xff"), invoke(peer))).codes
    assert codes == [21, 0]


async def test_system_chaincodes_cannot_be_used_to_write(peer: OnePeer) -> None:
    await peer.instantiate("cc")
    forged = invoke(peer, chaincode="qscc", version="syscc")
    assert (await peer.commit(forged)).codes == [23]


async def test_a_config_that_does_not_apply_stops_the_channel_for_good(peer: OnePeer) -> None:
    envelope = build_envelope(
        signer=peer.consortium.orderer,
        header_type=HeaderType.CONFIG,
        channel_id=CHANNEL,
        data=serialize(ConfigEnvelope(config=peer.channel().bundle.config)),
    )
    with pytest.raises(ValidationHalted, match="error validating config"):
        await peer.commit(serialize(envelope))
    with pytest.raises(ValidationHalted, match="error validating config"):
        await peer.commit(invoke(peer))
    assert peer.channel().height == 1


async def test_a_cancelled_caller_loses_no_block_and_no_wake_up(peer: OnePeer) -> None:
    waiting = asyncio.create_task(peer.channel().height_reached(2))
    delivery = asyncio.create_task(peer.committer().deliver(peer.next_block(invoke(peer))))
    await asyncio.sleep(0)
    delivery.cancel()
    await asyncio.wait_for(waiting, 5)
    assert peer.channel().ledger.height == 2


async def test_a_restarted_committer_goes_on_where_the_ledger_ends(peer: OnePeer) -> None:
    await peer.instantiate("cc")
    first = peer.next_block(invoke(peer))
    await peer.committer().deliver(first)
    peer.reopen()
    second = peer.next_block(invoke(peer))
    stored = {2: first, 3: second}

    async def blocks(start: int) -> AsyncIterator[Block]:
        for number in range(start, 4):
            yield stored[number]

    committer = Committer(peer.channel())
    assert committer.next_number == 3
    await committer.follow(blocks)
    assert peer.channel().height == 4
