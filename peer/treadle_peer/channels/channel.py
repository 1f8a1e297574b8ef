"""One joined channel: its ledger, its current configuration, and whoever waits for blocks."""

from __future__ import annotations

import asyncio

from treadle_fabric.channelconfig import Bundle

from treadle_peer.ledger import Ledger


class Channel:
    """A channel as everybody but its committer sees it.

    ``height`` and ``bundle`` change together, on the event loop, after a block is durable; so a
    waiter that wakes for a config block finds its configuration in force.
    """

    def __init__(self, *, ledger: Ledger, bundle: Bundle) -> None:
        self.ledger = ledger
        self._bundle = bundle
        self._height = ledger.height
        self._advanced = asyncio.Event()

    @property
    def channel_id(self) -> str:
        """The channel's name."""
        return self.ledger.channel_id

    @property
    def bundle(self) -> Bundle:
        """The configuration in force."""
        return self._bundle

    @property
    def height(self) -> int:
        """How many blocks are committed and announced."""
        return self._height

    def advance(self, *, height: int, bundle: Bundle | None) -> None:
        """Announce that blocks up to *height* are durable; called by the committer only."""
        self._height = height
        if bundle is not None:
            self._bundle = bundle
        # The event is replaced, never cleared: whoever waits holds the one that is set here.
        advanced, self._advanced = self._advanced, asyncio.Event()
        advanced.set()

    async def height_reached(self, height: int) -> None:
        """Return once at least *height* blocks are committed.

        Nothing is awaited between looking and waiting, so no wake-up is lost (trap 56).
        """
        while self._height < height:
            await self._advanced.wait()
