"""Chaincodes that say and hear nothing for minutes, while other tests run."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness.chaincodes import built, start_by_hand
from harness.networks import connected
from harness.peers import PeerProcess
from harness.processes import Started, keep_running
from harness.runtimes import wait_for_runtime


@dataclass(kw_only=True)
class IdleStreams:
    """One development peer with one chaincode per language, silent since their last call."""

    peer: PeerProcess
    folder: Path
    processes: dict[str, Started] = field(default_factory=dict)
    rows: dict[str, dict[str, Any]] = field(default_factory=dict)
    last_call: dict[str, float] = field(default_factory=dict)

    def begin(self, language: str) -> None:
        """Start, instantiate and call the example contract by the name of its language."""
        ccid, address = f"{language}:1", self.peer.addresses["chaincode"]
        output = self.folder / f"{language}.log"
        self.processes[language] = start_by_hand(
            language, built(language), ccid=ccid, address=address, output=output
        )
        operations = self.peer.addresses["operations"]
        wait_for_runtime(operations, ccid, "waiting for install")
        asyncio.run(self._deploy(language))
        self.call(language, "set", "word", "before")
        self.rows[language] = wait_for_runtime(operations, ccid)

    def call(self, language: str, *args: str) -> bytes:
        """Invoke and wait for the commit; the silence begins anew."""
        self.last_call[language] = time.monotonic()
        return asyncio.run(self._invoke(language, args))

    def stay_silent(self, language: str, *, seconds: float) -> float:
        """Return when the last call is that long ago, and say how long it is.

        No process may end meanwhile.
        """
        left = self.last_call[language] + seconds - time.monotonic()
        keep_running([self.peer.process, *self.processes.values()], seconds=left)
        return time.monotonic() - self.last_call[language]

    def row(self, language: str) -> dict[str, Any]:
        """The registry's row of a language's process."""
        return wait_for_runtime(self.peer.addresses["operations"], f"{language}:1", within=1)

    def end(self) -> None:
        """End everything."""
        for process in self.processes.values():
            process.stop()
        self.peer.end()

    async def _deploy(self, language: str) -> None:
        async with connected(self.peer) as network:
            await network.install(language, language)
            await network.instantiate(language, language)

    async def _invoke(self, language: str, args: tuple[str, ...]) -> bytes:
        async with connected(self.peer) as network:
            return (await network.channel.invoke(language, list(args))).payload
