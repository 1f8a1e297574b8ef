"""Which chaincodes are open for development, on disk: one file, written anew at every change."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from treadle_fabric.durable import sync_folder
from treadle_fabric.identity.files import write_private

from treadle_peer.storage import StorageError


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """One chaincode that developers run. Times are seconds.

    ``execute_timeout``: None for no bound. ``start_line`` is what a developer types, empty for
    Fabric's own command. ``holders`` are those for whom certificates are issued.
    """

    ccid: str
    execute_timeout: float | None = None
    start_line: str = ""
    holders: tuple[str, ...] = ()


class Policies:
    """The set of *file*."""

    def __init__(self, file: Path) -> None:
        """Raises StorageError for a damaged file."""
        self._file = file
        self._known, self._openings = _read(file) if file.exists() else ({}, {})

    def get(self, ccid: str) -> Policy | None:
        """That of *ccid*; None: it is not open."""
        return self._known.get(ccid)

    def opening(self, ccid: str) -> str:
        """The same for as long as *ccid* is open, and never again; empty: it is not."""
        return self._openings.get(ccid, "")

    @property
    def known(self) -> Mapping[str, Policy]:
        """All of them, by ccid."""
        return self._known

    def replace(self, policies: Mapping[str, Policy]) -> None:
        """From now on these, durably before anything follows from it."""
        if policies == self._known:
            return
        openings = {ccid: self._openings.get(ccid) or secrets.token_hex(16) for ccid in policies}
        rows = {
            "development": [
                {**asdict(policies[ccid]), "opening": openings[ccid]} for ccid in sorted(policies)
            ],
        }
        write_private(self._file, json.dumps(rows, indent=1).encode() + b"\n")
        sync_folder(self._file.parent)
        self._known, self._openings = dict(policies), openings


def _read(file: Path) -> tuple[dict[str, Policy], dict[str, str]]:
    try:
        rows = json.loads(file.read_bytes())["development"]
        found = [
            Policy(
                ccid=str(row["ccid"]),
                execute_timeout=_seconds(row["execute_timeout"]),
                start_line=str(row["start_line"]),
                holders=tuple(str(holder) for holder in row["holders"]),
            )
            for row in rows
        ]
        openings = {str(row["ccid"]): str(row["opening"]) for row in rows}
    except (ValueError, KeyError, TypeError) as error:
        raise StorageError(f"{file} is damaged: restore it from a backup ({error})") from error
    return {policy.ccid: policy for policy in found}, openings


def _seconds(value: object) -> float | None:
    if value is None:
        return None
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    raise ValueError(f"{value!r} is no number of seconds")
