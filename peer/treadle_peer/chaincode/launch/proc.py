"""Reading /proc: who a process is, which group it belongs to, what it was started for.

A process is recognised by its id together with its start time, or by the token in the environment
it was started with: ids alone are used again. Linux only.
"""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

TOKEN_VARIABLE: Final = "TREADLE_LAUNCH_ID"  # noqa: S105 - a name, not a secret
_PROC: Final = Path("/proc")
_GONE: Final = frozenset({"Z", "X", "x"})


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessStat:
    """The part of /proc/<pid>/stat that tells identity; ``started`` in ticks since boot."""

    pid: int
    state: str
    group: int
    session: int
    started: int

    @property
    def alive(self) -> bool:
        """Whether it can still do anything; a zombie cannot."""
        return self.state not in _GONE


def parse_stat(text: str) -> ProcessStat:
    """Read one stat line. The command name in it may hold spaces and parentheses."""
    pid, _, rest = text.partition(" ")
    fields = rest[rest.rindex(")") + 2 :].split()
    return ProcessStat(
        pid=int(pid),
        state=fields[0],
        group=int(fields[2]),
        session=int(fields[3]),
        started=int(fields[19]),
    )


def stat_of(pid: int) -> ProcessStat | None:
    """Who has this id now; None when nobody has."""
    try:
        return parse_stat((_PROC / str(pid) / "stat").read_text(errors="replace"))
    except (OSError, ValueError):
        return None


def boot_id() -> str:
    """Names this run of the machine: ids and start times of another one mean nothing."""
    return (_PROC / "sys/kernel/random/boot_id").read_text().strip()


def all_processes() -> Iterator[ProcessStat]:
    """Every process that can be seen and lives."""
    for name in os.listdir(_PROC):
        if name.isdigit():
            found = stat_of(int(name))
            if found is not None and found.alive:
                yield found


def token_of(pid: int) -> str | None:
    """The launch that *pid* was started for, as its environment says; None for strangers."""
    try:
        content = (_PROC / str(pid) / "environ").read_bytes()
    except OSError:
        return None
    prefix = f"{TOKEN_VARIABLE}=".encode()
    for entry in content.split(b"\0"):
        if entry.startswith(prefix):
            return entry.removeprefix(prefix).decode(errors="replace")
    return None


def launched_processes(*, token: str, group: int | None = None) -> list[ProcessStat]:
    """The living processes of one launch: those that carry its *token*.

    With *group*, the id of a group that is known to be the launch's, also those in it whose
    environment was overwritten. A daemon that left the group is found by its token.
    """
    return [
        process
        for process in all_processes()
        if (group is not None and process.group == group) or token_of(process.pid) == token
    ]


def group_members(group: int) -> list[int]:
    """The ids of the living processes in a process group."""
    return [process.pid for process in all_processes() if process.group == group]


def signal_process(process: ProcessStat, number: signal.Signals) -> None:
    """Send a signal to exactly this process, not to a later one with the same id."""
    with contextlib.suppress(OSError):
        handle = os.pidfd_open(process.pid)
        try:
            now = stat_of(process.pid)
            if now is not None and now.started == process.started:
                signal.pidfd_send_signal(handle, number)
        finally:
            os.close(handle)
