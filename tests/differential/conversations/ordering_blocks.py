"""What is in the blocks of an orderer and of a peer (wire §5.3)."""

from __future__ import annotations

from harness.differential import ordering
from harness.differential.asking import ask
from harness.differential.catalog import conversation
from harness.differential.configblocks import (
    created,
    first_block,
    hear_config_block,
    name_hashes,
)
from harness.differential.talk import Talk
from harness.differential.updates import anchored
from treadle_fabric.wire import serialize


@conversation("ordzero", "block 0 holds the configuration that a creation leads to", "5.3", "5.2")
async def block_zero(talk: Talk) -> None:
    channel = await created(talk)
    hear_config_block(talk, await first_block(talk, channel), "block 0")


@conversation(
    "ordnormal", "blocks hold what was broadcast, linked, signed, with the last config", "5.3"
)
async def normal_blocks(talk: Talk) -> None:
    channel = await created(talk)
    for number in (1, 2):
        envelope = ordering.transaction(talk, channel, f"number {number}", tx_id=f"t{number}")
        await ordering.hear_answers(talk, envelope.build())
        name_hashes(talk, await ordering.ordered(talk, channel, number), f"block {number}")


@conversation(
    "ordconfig", "a config update has a block of its own, to which later ones point", "5.3", "5.2"
)
async def config_blocks(talk: Talk) -> None:
    channel = await created(talk)
    zero = await first_block(talk, channel)
    update = ordering.config_update(talk, anchored(zero, channel, 7051), channel=channel)
    await ordering.hear_answers(talk, update.build())
    one = await talk.links.ordered(talk.cast.admin, channel, 1)
    hear_config_block(talk, one, "block 1")
    await ordering.hear_answers(talk, ordering.transaction(talk, channel, "after").build())
    name_hashes(talk, await ordering.ordered(talk, channel, 2), "block 2")
    again = anchored(one, channel, 7053)
    update = ordering.config_update(talk, again, channel=channel)
    await ordering.hear_answers(talk, update.build())
    hear_config_block(talk, await talk.links.ordered(talk.cast.admin, channel, 3), "block 3")


@conversation(
    "ordpeerzero", "the peer's block 0 has a filter of its one transaction and no commit hash",
    "5.3",
)  # fmt: skip
async def peer_block_zero(talk: Talk) -> None:
    channel = await created(talk)
    zero = await first_block(talk, channel)
    await ask(talk, "cscc", "JoinChain", serialize(zero), signer=talk.cast.admin)
    hear_config_block(talk, await talk.links.committed(talk.cast.admin, channel, 0), "block 0")


@conversation(
    "ordpeerblocks", "the peer writes filter and commit hash into what the orderer has signed",
    "5.3",
)  # fmt: skip
async def peer_blocks(talk: Talk) -> None:
    await talk.deployed("probe")
    channel = await talk.channel()
    await ordering.ordered(talk, channel, 1)
    await talk.block(channel, 1)
    # Two transactions that the peer finds invalid, each in a block of its own.
    for number in (2, 3):
        envelope = ordering.transaction(talk, channel, f"nonsense {number}", tx_id="x")
        await talk.commit_envelope(envelope.build())
        await talk.block(channel, number)


@conversation(
    "ordpeerconfig", "the peer commits a config update as the orderer made it", "5.3", "5.2"
)
async def peer_config(talk: Talk) -> None:
    channel = await talk.channel()
    zero = await talk.links.committed(talk.cast.admin, channel, 0)
    update = ordering.config_update(talk, anchored(zero, channel, 7051), channel=channel)
    hear_config_block(talk, await talk.commit_envelope(update.build()), "block 1")
    await talk.commit_envelope(ordering.transaction(talk, channel, "after", tx_id="x").build())
    await talk.block(channel, 2)
