"""Conversations with peers in development mode, each with its orderer."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from pathlib import Path

from harness.differential.catalog import Conversation
from harness.differential.events import Recording
from harness.differential.holding import hold
from harness.differential.targets import OurTarget, RealTarget, Target


def held_by_real(
    conversations: Iterable[Conversation], *, folder: Path, binaries: Path
) -> dict[str, Recording]:
    """The recordings by key, of a real peer and orderer in *folder*."""
    return _held(conversations, RealTarget.make(folder, binaries))


def held_by_ours(conversations: Iterable[Conversation], *, folder: Path) -> dict[str, Recording]:
    """The recordings by key, of our peer in *folder*."""
    return _held(conversations, OurTarget.make(folder))


def _held(conversations: Iterable[Conversation], target: Target) -> dict[str, Recording]:
    try:
        target.start()
        return asyncio.run(hold(conversations, target))
    finally:
        target.stop()
