"""Blocks, their metadata and hashes, and which of them a peer takes (wire §5.3)."""

from __future__ import annotations

from harness.differential.blocks_talk import BlocksTalk
from harness.differential.catalog import conversation


@conversation("blkplain", "a peer adds codes and a commit hash to a block", "5.3", rig="blocks")
async def plain(talk: BlocksTalk) -> None:
    await talk.open()
    await talk.commit(talk.change(a="1"), talk.change(b="2"))
    await talk.commit(talk.change(a="3"))
    await talk.chain()
    await talk.probe("range a z", "get a", "get b")
    await talk.qscc("GetBlockByNumber", "0", hint="common.Block")
    await talk.qscc("GetBlockByNumber", "2", hint="common.Block")
