"""Joining, reopening, and waiting for blocks."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import pytest
from fabric_protos.common.common_pb2 import Block
from harness.onepeer import CHANNEL, OnePeer
from hypothesis import given
from hypothesis import strategies as st
from treadle_fabric.channelconfig import ConfigError
from treadle_fabric.wire import WireError
from treadle_peer.channels import ChaincodeDefinition, JoinError

TEXT = st.text(max_size=300)
BYTES = st.binary(max_size=300)
DEFINITIONS = st.builds(
    ChaincodeDefinition,
    name=TEXT,
    version=TEXT,
    endorsement_plugin=TEXT,
    validation_plugin=TEXT,
    policy=BYTES,
    data=BYTES,
    id=BYTES,
    instantiation_policy=BYTES,
)


@given(DEFINITIONS)
def test_definitions_survive_the_wire_byte_for_byte(definition: ChaincodeDefinition) -> None:
    assert ChaincodeDefinition.decode(definition.encode()) == definition


@given(st.binary(max_size=100))
def test_rubbish_reads_as_a_definition_or_is_refused(data: bytes) -> None:
    with suppress(WireError):
        ChaincodeDefinition.decode(data)


def test_joining_tells_whoever_waits(peer: OnePeer) -> None:
    joined: list[str] = []
    peer.channels.on_join(lambda channel: joined.append(channel.channel_id))
    peer.channels.join(peer.consortium.genesis("second"))
    assert joined == ["second"]
    assert peer.channels.names() == [CHANNEL, "second"]


def test_joining_twice_is_refused_in_fabrics_words(peer: OnePeer) -> None:
    with pytest.raises(JoinError) as refused:
        peer.channels.join(peer.consortium.genesis())
    assert str(refused.value) == (
        "cannot create ledger from genesis block: ledger [ch] already exists with state [ACTIVE]"
    )


def test_a_block_without_configuration_is_refused(peer: OnePeer) -> None:
    with pytest.raises(WireError, match="block is empty"):
        peer.channels.join(Block())
    block = Block()
    block.CopyFrom(peer.consortium.genesis("second"))
    block.data.data[0] = (
        peer.channel().ledger.block(0).data.data[0].replace(b"Application", b"x" * 11)
    )
    with pytest.raises((ConfigError, JoinError)):
        peer.channels.join(block)


async def test_a_restart_keeps_height_and_configuration(peer: OnePeer) -> None:
    await peer.instantiate("cc")
    before = peer.channel().bundle.config
    peer.reopen()
    assert peer.channel().height == 2
    assert peer.channel().bundle.config == before


async def test_whoever_waits_for_a_block_is_woken_once_it_is_there(peer: OnePeer) -> None:
    channel = peer.channel()
    await channel.height_reached(1)
    early, late = (asyncio.create_task(channel.height_reached(height)) for height in (2, 3))
    await peer.instantiate("cc")
    await asyncio.wait_for(early, 5)
    assert not late.done()
    proposal, answer = await peer.propose("cc", "go")
    await peer.commit(peer.transaction(proposal, answer))
    await asyncio.wait_for(late, 5)


async def test_many_waiters_and_many_blocks_lose_no_wake_up(peer: OnePeer) -> None:
    channel = peer.channel()
    waiters = [asyncio.create_task(channel.height_reached(height % 5 + 2)) for height in range(50)]
    for height in range(2, 7):
        channel.advance(height=height, bundle=None)
        await asyncio.sleep(0)
    await asyncio.wait_for(asyncio.gather(*waiters), 5)
