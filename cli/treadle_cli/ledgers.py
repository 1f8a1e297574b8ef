"""``treadle ledger``: looking at a stopped peer's ledgers."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from treadle_peer.ledger import LedgerError, LedgerStore
from treadle_peer.storage import StorageError

from treadle_cli.errors import TreadleError


@dataclass(frozen=True, slots=True)
class LedgerReport:
    """One channel's ledger: its height, and one sentence per problem."""

    channel: str
    height: int
    problems: tuple[str, ...]


def verify_ledgers(folder: Path) -> list[LedgerReport]:
    """Check hash chains and replay all blocks of every channel below *folder*.

    *folder* is a peer's data folder, or its ``ledger`` folder. Raises TreadleError when it holds
    no ledgers or a peer runs on it.
    """
    ledgers = folder / "ledger" if (folder / "ledger").is_dir() else folder
    if not ledgers.is_dir() or not any(ledgers.iterdir()):
        raise TreadleError(f"{folder} holds no ledgers; name a peer's data folder")
    try:
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
