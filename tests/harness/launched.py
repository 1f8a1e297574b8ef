"""The processes that a peer launched, as the kernel knows them; the peer is not asked."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class LaunchedProcess:
    """One living process; ``ccid`` is what its environment says, empty for a build.

    ``command`` is the program's short name.
    """

    pid: int
    group: int
    ccid: str
    command: str


def launched_processes(data: Path, ccid: str | None = None) -> list[LaunchedProcess]:
    """All living processes that the peer with the folder *data* has launched.

    Recognised by what they were told: the launch id, and a HOME or a working folder below *data*.
    """
    found = [process for process in _all(data) if ccid in (None, process.ccid)]
    return sorted(found, key=lambda process: process.pid)


def launched_groups(data: Path, ccid: str) -> set[int]:
    """The process groups of a chaincode: one per launch, whatever npm or a shell starts in it."""
    return {process.group for process in launched_processes(data, ccid)}


def _all(data: Path) -> Iterator[LaunchedProcess]:
    for folder in Path("/proc").iterdir():
        with suppress(OSError):
            if not folder.name.isdigit() or _is_zombie(folder):
                continue
            told = _environment(folder)
            places = [told.get("HOME", ""), os.readlink(folder / "cwd")]
            if "TREADLE_LAUNCH_ID" in told and any(place.startswith(str(data)) for place in places):
                pid = int(folder.name)
                yield LaunchedProcess(
                    pid=pid,
                    group=os.getpgid(pid),
                    ccid=told.get("CORE_CHAINCODE_ID_NAME", ""),
                    command=(folder / "comm").read_text().strip(),
                )


def _is_zombie(folder: Path) -> bool:
    stat = (folder / "stat").read_text(errors="replace")
    return stat[stat.rindex(")") + 2] in "ZXx"


def _environment(folder: Path) -> dict[str, str]:
    entries = (folder / "environ").read_bytes().decode(errors="replace").split("\0")
    return dict(entry.split("=", 1) for entry in entries if "=" in entry)
