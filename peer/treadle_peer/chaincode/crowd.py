"""Calls under way, all together and by chaincode: one that hangs leaves room for others."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from treadle_peer.execution import ExecutionError


class Crowd:
    """Counts calls. *most* bounds those of one ccid; 0 does not."""

    def __init__(self, most: int = 0) -> None:
        self._most = most
        self._running: Counter[str] = Counter()
        self._idle = asyncio.Event()
        self._idle.set()

    @contextmanager
    def member(self, ccid: str) -> Iterator[None]:
        """Within the block a call of *ccid* is under way; raises ExecutionError at the bound."""
        if self._most and self._running[ccid] >= self._most:
            raise ExecutionError(
                f"chaincode {ccid} has {self._most} transactions under way, as many as one "
                "chaincode may have; try again when it has answered some"
            )
        self._running[ccid] += 1
        self._idle.clear()
        try:
            yield
        finally:
            self._running[ccid] -= 1
            if not self._running[ccid]:
                del self._running[ccid]
            if not self._running:
                self._idle.set()

    async def gone(self) -> None:
        """Return when no call is under way."""
        await self._idle.wait()
