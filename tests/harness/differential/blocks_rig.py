"""Conversations in which the script makes the blocks, honest or not."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from pathlib import Path

from harness.differential.blocks_talk import BlocksTalk
from harness.differential.blocks_targets import BlocksTarget, OurBlocks, RealBlocks
from harness.differential.catalog import Conversation
from harness.differential.events import Recording
from harness.differential.holding import AT_A_TIME, held
from harness.differential.material import FixedConsortium


def held_by_real(
    conversations: Iterable[Conversation], *, folder: Path, binaries: Path
) -> dict[str, Recording]:
    """The recordings by key, of a real peer in *folder*."""

    async def hold() -> dict[str, Recording]:
        return await _hold(conversations, RealBlocks(folder, binaries))

    return asyncio.run(hold())


def held_by_ours(conversations: Iterable[Conversation], *, folder: Path) -> dict[str, Recording]:
    """The recordings by key, of our committer in *folder*."""

    async def hold() -> dict[str, Recording]:
        return await _hold(conversations, OurBlocks(folder))

    return asyncio.run(hold())


async def _hold(
    conversations: Iterable[Conversation], target: BlocksTarget
) -> dict[str, Recording]:
    cast = FixedConsortium()
    turns = asyncio.Semaphore(AT_A_TIME)

    async def one(each: Conversation) -> tuple[str, Recording]:
        async with turns:
            talk = BlocksTalk(key=each.key, title=each.title, target=target, cast=cast)
            return each.key, await held(each, talk)

    try:
        await target.start()
        return dict(await asyncio.gather(*(one(each) for each in conversations)))
    finally:
        await target.stop()
