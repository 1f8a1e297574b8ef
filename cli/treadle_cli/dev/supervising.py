"""The developer's command, started again when its sources change."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from treadle_cli.dev.ends import Say
from treadle_cli.dev.foreground import Foreground, Job
from treadle_cli.dev.watching import changes

# 130 as shells and Java's virtual machine say it.
_ENDED_BY_KEYBOARD: Final = frozenset({-signal.SIGINT, 128 + signal.SIGINT})


@dataclass(slots=True, kw_only=True)
class Supervised:
    """One command. ``ending`` is the signal that it gets when ``run`` is cancelled."""

    foreground: Foreground
    command: Sequence[str]
    environment: Mapping[str, str]
    watch: Sequence[Path]
    say: Say
    ending: int = signal.SIGTERM
    _job: Job | None = None
    _changed: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self) -> int:
        """Its exit code; with files to watch it ends only when Ctrl-C ended it.

        Raises TreadleError when it cannot be started or the files cannot be watched.
        """
        if not self.watch:
            return await self._once()
        watcher = asyncio.create_task(self._watch())
        command = asyncio.create_task(self._again_and_again())
        try:
            await asyncio.wait({watcher, command}, return_when=asyncio.FIRST_COMPLETED)
            if watcher.done():
                watcher.result()
            return command.result()
        finally:
            for task in (watcher, command):
                task.cancel()
            await asyncio.gather(watcher, command, return_exceptions=True)

    def kill(self) -> None:
        """End it at once."""
        if self._job is not None:
            self._job.send(signal.SIGKILL)

    async def _once(self) -> int:
        job = self._job = self.foreground.start(self.command, self.environment)
        try:
            return await job.ended()
        finally:
            await job.end(self.ending)

    async def _again_and_again(self) -> int:
        while True:
            self._changed.clear()
            run = asyncio.create_task(self._once())
            change = asyncio.create_task(self._changed.wait())
            try:
                await asyncio.wait({run, change}, return_when=asyncio.FIRST_COMPLETED)
                if run.done():
                    code = run.result()
                    if code in _ENDED_BY_KEYBOARD or (self._job and self._job.interrupted):
                        return code
                    self.say(f"the command {how_it_ended(code)}; waiting for a change")
                    await change
            finally:
                change.cancel()
                run.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await run

    async def _watch(self) -> None:
        async for file in changes(self.watch):
            self.say(f"{file.name} has changed: starting again")
            self._changed.set()


def how_it_ended(code: int) -> str:
    """An exit code in words."""
    if code >= 0:
        return f"ended with exit code {code}"
    return f"was ended by {signal.Signals(-code).name}"
