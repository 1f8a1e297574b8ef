"""One launch: a started chaincode with its certificate, keys, log and bridge."""

from __future__ import annotations

import asyncio
import logging
import shutil
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Protocol

from treadle_peer.chaincode.authority import CertificateFiles, ChaincodeAuthority
from treadle_peer.chaincode.launch.bridging import RunningBridge
from treadle_peer.chaincode.launch.logs import CapturedLog

_LOG = logging.getLogger(__name__)


class Phase(Enum):
    """How far a ccid has come."""

    BUILDING = "building"
    STARTING = "starting"
    REGISTERED = "registered"
    ENDED = "ended"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class LaunchStatus:
    """One line about a ccid. ``seconds`` it has been in ``phase``; ``pid`` 0 when none runs.

    ``starts`` counts processes since the peer started. ``last_error`` is empty without one.
    """

    ccid: str
    phase: Phase
    seconds: float
    pid: int
    starts: int
    last_error: str

    @property
    def patience(self) -> str:
        """What to tell somebody whose deadline ends before the launch does; empty when it has."""
        if self.phase in (Phase.BUILDING, Phase.STARTING):
            return f"still {self.phase.value} ({self.seconds:.0f} s); try again"
        return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exit:
    """A launched process has ended by itself.

    ``sentence`` is ``container exited with 1`` and the last log lines. ``registered``: it had
    been admitted before, so its stream tells of the end too.
    """

    ccid: str
    sentence: str
    registered: bool


class Running(Protocol):
    """A started program with everything that it started itself."""

    @property
    def pid(self) -> int:
        """Its process on this machine; 0 when it has none here."""

    @property
    def running(self) -> bool:
        """Whether the program itself lives."""

    async def exited(self) -> int:
        """Wait for the program's end; its exit code as containers show it, 128 + n for a signal."""

    def members(self) -> list[int]:
        """The ids of all its living processes on this machine."""

    async def end(self, *, grace: float) -> None:
        """SIGTERM, then after *grace* seconds SIGKILL; returns when all of it is gone. Idempotent.

        By then its output is in the log.
        """


@dataclass(slots=True)
class Launch:
    """Everything that one launch holds, until ``end``."""

    ccid: str
    fingerprint: str
    folder: Path
    files: CertificateFiles | None
    log: CapturedLog
    program: Running | None = None
    admitted: bool = False
    bridge: RunningBridge | None = None
    watcher: asyncio.Task[None] | None = None
    ending: asyncio.Task[None] | None = field(default=None, repr=False)

    @property
    def running(self) -> bool:
        """Whether its program lives and nobody is ending it."""
        return self.ending is None and self.program is not None and self.program.running

    async def end(self, authority: ChaincodeAuthority, *, grace: float) -> None:
        """Retire the certificate, end the processes, remove the keys. Idempotent."""
        if self.ending is None:
            authority.retire(self.fingerprint)
            self.ending = asyncio.create_task(self._end(grace))
        await asyncio.shield(self.ending)

    async def _end(self, grace: float) -> None:
        if self.bridge is not None:
            try:
                await self.bridge.stop()
            except Exception:
                _LOG.exception("the bridge of %s does not stop", self.ccid)
        if self.program is not None:
            await self.program.end(grace=grace)
        self.log.close()
        await asyncio.to_thread(shutil.rmtree, self.folder, ignore_errors=True)
