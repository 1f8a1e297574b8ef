"""Large packages one after another: each lies several times in the operator's memory on its way."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final

_PATIENCE: Final = 30.0
"""Seconds; a reconcile that only waits counts as stuck after two minutes."""


@dataclass(frozen=True, slots=True)
class Turns:
    """At most one has its turn."""

    patience: float = _PATIENCE
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[bool]:
        """Whether it is this one's turn; False when others took too long."""
        try:
            async with asyncio.timeout(self.patience):
                await self._lock.acquire()
        except TimeoutError:
            yield False
            return
        try:
            yield True
        finally:
            self._lock.release()
