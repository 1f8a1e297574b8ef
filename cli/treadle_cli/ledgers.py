"""``treadle ledger``: checking a stopped peer's ledgers, and backups of its whole data folder."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from treadle_fabric.channelconfig import ConfigError
from treadle_fabric.identity.certificates import CertificateError
from treadle_fabric.msp import MSPError
from treadle_peer.ledger import LedgerError, LedgerStore
from treadle_peer.main.backups import BackupError, BackupReport, back_up_stopped
from treadle_peer.main.control import back_up_running
from treadle_peer.main.folders import DATA_FORMAT, DataFolders
from treadle_peer.main.recovery import ordering_problems
from treadle_peer.order import OrderStore, load_ordering_identity
from treadle_peer.storage import StorageError

from treadle_cli.errors import TreadleError

Say = Callable[[str], None]
_SAID_EVERY = 200  # blocks


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


def verify_ledgers(folder: Path, *, say: Say | None = None) -> list[LedgerReport]:
    """Check hash chains and replay all blocks of every channel below *folder*.

    *folder* is a peer's data folder, then the ordering's blocks are checked too, or its ``ledger``
    folder. *say* is told what is looked at. Raises TreadleError when there are no ledgers or a
    peer runs on them.
    """
    whole = (folder / "ledger").is_dir()
    ledgers = folder / "ledger" if whole else folder
    try:
        if whole:
            DATA_FORMAT.check(folder)
        if not any(ledgers.iterdir()):
            raise TreadleError(f"{folder} holds no ledgers; name a peer's data folder")
        with LedgerStore.open(ledgers) as store:
            problems = {name: _ledger_problems(store, name, say) for name in store.names()}
            if whole:
                _add_ordering_problems(DataFolders(folder), store, problems)
            return [
                LedgerReport(name, _height(store, name), tuple(found))
                for name, found in sorted(problems.items())
            ]
    except (StorageError, LedgerError, ConfigError) as error:
        raise TreadleError(str(error)) from error


def _ledger_problems(store: LedgerStore, name: str, say: Say | None) -> list[str]:
    def progress(number: int, height: int) -> None:
        if say is not None and number % _SAID_EVERY == 0:
            say(f"{name}: block {number} of {height}")

    ledger = store.get(name)
    try:
        return ledger.verify(progress) if ledger else []
    except (LedgerError, StorageError) as error:
        return [str(error)]


def _add_ordering_problems(
    folders: DataFolders, store: LedgerStore, problems: dict[str, list[str]]
) -> None:
    """Those of channels that are ordered here; a peer without ordering has none."""
    if not (folders.ordering_blocks.is_dir() or folders.ordering_identity.is_dir()):
        return
    try:
        orderer = load_ordering_identity(folders.ordering_identity)
    except (OSError, CertificateError, MSPError) as error:
        raise TreadleError(f"the ordering's identity cannot be read: {error}") from error
    orders = OrderStore(folders.ordering_blocks)
    try:
        for name, problem in ordering_problems(orders, store, orderer=orderer):
            problems.setdefault(name, []).append(problem)
    finally:
        orders.close()


def _height(store: LedgerStore, name: str) -> int:
    ledger = store.get(name)
    return 0 if ledger is None else ledger.height
