"""Holding conversations with a target: several at a time, each with a time limit of its own."""

from __future__ import annotations

import asyncio
import time
import traceback
from collections.abc import Iterable
from typing import Protocol

from harness.differential.catalog import Conversation
from harness.differential.events import Event, Recording
from harness.differential.links import Links
from harness.differential.material import FixedConsortium
from harness.differential.talk import Talk
from harness.differential.targets import Target

AT_A_TIME = 4
LIMIT = 90.0  # seconds for one conversation


async def hold(conversations: Iterable[Conversation], target: Target) -> dict[str, Recording]:
    """The recordings by key. What goes wrong in a script is an event, and ``broken``."""
    cast = FixedConsortium()
    turns = asyncio.Semaphore(AT_A_TIME)
    async with Links.to(target) as links:

        async def one(each: Conversation) -> tuple[str, Recording]:
            async with turns:
                talk = Talk(key=each.key, title=each.title, links=links, cast=cast)
                return each.key, await held(each, talk)

        return dict(await asyncio.gather(*(one(each) for each in conversations)))


class Talking(Protocol):
    """What a script is given, whatever its rig."""

    recording: Recording

    def hear(self, event: Event) -> None: ...

    async def close(self) -> None: ...


async def held(conversation: Conversation, talk: Talking) -> Recording:
    """The recording of one conversation, which ends in time."""
    talk.recording.began = int(time.time())
    try:
        async with asyncio.timeout(LIMIT):
            await conversation.script(talk)
    except Exception as error:
        talk.hear(Event(source="script", kind="fact", details=f"{type(error).__name__}: {error}"))
        talk.recording.broken = traceback.format_exc()
    await talk.close()
    talk.recording.ended = int(time.time())
    return talk.recording
