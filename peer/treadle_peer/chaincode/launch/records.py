"""What runs for this peer, on disk: so that its next start finds what a killed one left behind.

One small file per launch or build, written before the process starts. At the next start every
process that carries a recorded token, or is the recorded process and its group, is killed.
"""

from __future__ import annotations

import contextlib
import json
import logging
import secrets
import signal
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from treadle_fabric.identity.files import write_private

from treadle_peer.chaincode.launch import proc

_LOG = logging.getLogger(__name__)
_REAP_SECONDS: Final = 10.0
_REAP_PAUSE: Final = 0.02


@dataclass(frozen=True, slots=True, kw_only=True)
class LaunchRecord:
    """One started thing. ``pid`` and ``started`` (ticks since boot) are 0 until it runs."""

    token: str
    purpose: str
    boot: str
    pid: int = 0
    started: int = 0


class LaunchRecords:
    """The folder of records."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def announce(self, purpose: str) -> str:
        """Record that something is about to start; returns the token for its environment."""
        token = secrets.token_hex(16)
        self._write(LaunchRecord(token=token, purpose=purpose, boot=proc.boot_id()))
        return token

    def started(self, token: str, *, purpose: str, pid: int) -> None:
        """Record which process it became."""
        found = proc.stat_of(pid)
        self._write(
            LaunchRecord(
                token=token,
                purpose=purpose,
                boot=proc.boot_id(),
                pid=pid,
                started=found.started if found is not None else 0,
            )
        )

    def ended(self, token: str) -> None:
        """Forget it: nothing of it runs any more. Idempotent."""
        (self._folder / f"{token}.json").unlink(missing_ok=True)

    def reap(self) -> list[LaunchRecord]:
        """Kill what an earlier run of the peer left; returns the records that still had processes.

        Blocks until the processes are gone, ten seconds at most.
        """
        records = [record for record in map(_read, self._folder.glob("*.json")) if record]
        this_boot = proc.boot_id()
        left = [record for record in records if record.boot == this_boot and _survivors(record)]
        for record in left:
            _kill(record)
        for file in self._folder.glob("*.json"):
            file.unlink()
        return left

    def _write(self, record: LaunchRecord) -> None:
        content = json.dumps(asdict(record), indent=2).encode()
        write_private(self._folder / f"{record.token}.json", content)


def _read(path: Path) -> LaunchRecord | None:
    with contextlib.suppress(OSError, ValueError, TypeError):
        return LaunchRecord(**json.loads(path.read_text()))
    _LOG.warning("Ignoring unreadable launch record %s", path)
    return None


def _survivors(record: LaunchRecord) -> list[proc.ProcessStat]:
    leader = proc.stat_of(record.pid) if record.pid else None
    same = leader is not None and leader.started == record.started
    return proc.launched_processes(token=record.token, group=record.pid if same else None)


def _kill(record: LaunchRecord) -> None:
    deadline = time.monotonic() + _REAP_SECONDS
    _LOG.warning("Ending what an earlier run of this peer left behind: %s", record.purpose)
    while survivors := _survivors(record):
        for process in survivors:
            proc.signal_process(process, signal.SIGKILL)
        if time.monotonic() > deadline:
            _LOG.error("Process %d of %s does not end", survivors[0].pid, record.purpose)
            return
        time.sleep(_REAP_PAUSE)
