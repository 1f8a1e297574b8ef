"""What is remembered of certificates that outlast a run of the peer: whose, what for, and its end.

One file, written anew at every change, so that a peer which comes back admits the same holders
and refuses the same ones.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import Enum
from pathlib import Path
from typing import Final

from treadle_fabric.identity.files import write_private

from treadle_peer.storage import StorageError

_REMEMBERED_RETIREMENTS: Final = 10_000


class Purpose(Enum):
    """What a certificate is for."""

    RUNTIME = "runtime"
    """Registering as the chaincode, and fetching its build's output."""
    BUILDER = "builder"
    """Fetching the package and storing the output, once."""
    DEVELOPMENT = "development"
    """Registering as the chaincode while it is open for development."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LastingCertificate:
    """One issued certificate; ``fingerprint`` is hex SHA-256 of its DER, times are UTC.

    ``holder`` is for whom it was issued, empty where that was not said.
    """

    fingerprint: str
    ccid: str
    purpose: Purpose
    not_after: datetime
    retired: bool = False
    holder: str = ""


class LastingCertificates:
    """All of them, in *file*. Forgets those whose time is over; nobody gets in with them."""

    def __init__(
        self, file: Path, *, now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        """Read *file* if it is there; raises StorageError when it is damaged."""
        self._file = file
        self._now = now
        self._known = {one.fingerprint: one for one in _read(file)}

    def add(self, certificate: LastingCertificate) -> None:
        """Remember it, durably, before anyone holds it."""
        self._write({**self._known, certificate.fingerprint: certificate})

    def get(self, fingerprint: str) -> LastingCertificate | None:
        """What is known of it; None also for one whose time is over."""
        found = self._known.get(fingerprint)
        return found if found is not None and found.not_after > self._now() else None

    def counting(self, ccid: str, purpose: Purpose) -> list[LastingCertificate]:
        """Those of *ccid* that are neither retired nor over."""
        mine = [one for one in self._known.values() if (one.ccid, one.purpose) == (ccid, purpose)]
        return [one for one in mine if not one.retired and one.not_after > self._now()]

    def all(self, purpose: Purpose) -> list[LastingCertificate]:
        """Those for *purpose*, retired or not, oldest first within each."""
        return [one for one in self._known.values() if one.purpose is purpose]

    def retire(self, fingerprints: Iterable[str]) -> None:
        """Durably refuse them from now on; unknown and retired ones are fine."""
        ended = [
            one for name in fingerprints if (one := self.get(name)) is not None and not one.retired
        ]
        if ended:
            retired = {one.fingerprint: replace(one, retired=True) for one in ended}
            self._write({**self._known, **retired})

    def _write(self, known: dict[str, LastingCertificate]) -> None:
        now = self._now()
        living = [one for one in known.values() if one.not_after > now]
        retired = [one for one in living if one.retired][-_REMEMBERED_RETIREMENTS:]
        kept = [*retired, *(one for one in living if not one.retired)]
        rows = [_row(one) for one in kept]
        write_private(self._file, json.dumps(rows, indent=1).encode() + b"\n")
        self._known = {one.fingerprint: one for one in kept}


def _row(one: LastingCertificate) -> dict[str, object]:
    return {
        "fingerprint": one.fingerprint,
        "ccid": one.ccid,
        "purpose": one.purpose.value,
        "notAfter": one.not_after.isoformat(),
        "retired": one.retired,
        "holder": one.holder,
    }


def _read(file: Path) -> list[LastingCertificate]:
    if not file.exists():
        return []
    try:
        return [
            LastingCertificate(
                fingerprint=str(row["fingerprint"]),
                ccid=str(row["ccid"]),
                purpose=Purpose(row["purpose"]),
                not_after=datetime.fromisoformat(row["notAfter"]),
                retired=bool(row["retired"]),
                holder=str(row.get("holder", "")),
            )
            for row in json.loads(file.read_bytes())
        ]
    except (ValueError, KeyError, TypeError) as error:
        raise StorageError(f"{file} is damaged: restore it from a backup ({error})") from error
