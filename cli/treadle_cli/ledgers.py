"""``treadle ledger``: checking a stopped peer's ledgers, and backups of its whole data folder."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from treadle_peer.ledger import LedgerError, LedgerStore
from treadle_peer.main.backups import BackupError, BackupReport, back_up_stopped
from treadle_peer.main.control import back_up_running
from treadle_peer.main.folders import DATA_FORMAT
from treadle_peer.storage import StorageError

from treadle_cli.errors import TreadleError


@dataclass(frozen=True, slots=True)
class LedgerReport:
    """One channel's ledger: its height, and one sentence per problem."""

    channel: str
    height: int
    problems: tuple[str, ...]


def back_up(folder: Path, target: Path) -> BackupReport:
    """Make the new folder *target* a copy of the data folder *folder*, by its peer if one runs.

    Raises TreadleError.
    """
    target = Path(os.path.abspath(target))
    try:
        return back_up_running(folder, target) or back_up_stopped(folder, target)
    except BackupError as error:
        raise TreadleError(f"no backup was made: {error}") from None


def verify_ledgers(folder: Path) -> list[LedgerReport]:
    """Check hash chains and replay all blocks of every channel below *folder*.

    *folder* is a peer's data folder, or its ``ledger`` folder. Raises TreadleError when it holds
    no ledgers or a peer runs on it.
    """
    ledgers = folder / "ledger" if (folder / "ledger").is_dir() else folder
    try:
        if ledgers != folder:
            DATA_FORMAT.check(folder)
        if not ledgers.is_dir() or not any(ledgers.iterdir()):
            raise TreadleError(f"{folder} holds no ledgers; name a peer's data folder")
        store = LedgerStore.open(ledgers)
    except StorageError as error:
        raise TreadleError(str(error)) from error
    with store:
        return [_report(store, name) for name in store.names()]


def _report(store: LedgerStore, name: str) -> LedgerReport:
    ledger = store.get(name)
    if ledger is None:
        return LedgerReport(name, 0, ("it cannot be opened",))
    try:
        problems = tuple(ledger.verify())
    except (LedgerError, StorageError) as error:
        problems = (str(error),)
    return LedgerReport(name, ledger.height, problems)
