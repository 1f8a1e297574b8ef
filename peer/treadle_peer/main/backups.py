"""Copying a peer's whole data folder while it serves, or while it is stopped.

The copy is one that a peer can start from: ledgers first, then the ordering, which is therefore
never behind them; then everything else, which only grows. Until the last file is on disk the copy
is marked as unfinished, and no peer takes it.
"""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from treadle_fabric.durable import make_folder, sync_folder, sync_tree

from treadle_peer.config import ConfigurationError
from treadle_peer.ledger import LedgerError, LedgerStore
from treadle_peer.main.folders import DATA_FORMAT, DataFolders
from treadle_peer.order import OrderStore
from treadle_peer.storage import UNFINISHED_BACKUP, StorageError

_CHUNK = 1 << 20
_NEVER_CHANGED = (".sst", ".blob")
"""Files of RocksDB that are written once: a second name is as good as a copy."""


class BackupError(Exception):
    """No backup was made; the text is one line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BackupReport:
    """What a backup holds: heights by channel, bytes of all its files."""

    heights: dict[str, int]
    size: int


class Backups:
    """Makes backups of an open data folder, one at a time. ``make`` blocks for the disk."""

    def __init__(self, folders: DataFolders, *, ledgers: LedgerStore, orders: OrderStore) -> None:
        self._folders = folders
        self._ledgers = ledgers
        self._orders = orders
        self._making = threading.Lock()
        self._stopping = threading.Event()
        # What a killed process left.
        shutil.rmtree(folders.backup_scratch, ignore_errors=True)

    def make(self, target: Path) -> BackupReport:
        """Make the new folder *target* a copy of the data folder; raises BackupError."""
        if not self._making.acquire(blocking=False):
            raise BackupError("another backup is being made; wait for it")
        try:
            return self._make(target)
        except StorageError as error:
            raise BackupError(str(error)) from error
        except OSError as error:
            place = error.filename or target
            raise BackupError(f"{place}: {error.strerror or error}") from error
        finally:
            self._making.release()

    def stop(self) -> None:
        """Let a running ``make`` end soon, with BackupError."""
        self._stopping.set()

    def _make(self, target: Path) -> BackupReport:
        self._check(target)
        make_folder(target.parent)
        target.mkdir()
        try:
            UNFINISHED_BACKUP.mark(target)
            report = self._fill(target)
            sync_tree(target)
            DATA_FORMAT.mark(target)
            sync_folder(target.parent)
        except BaseException:
            shutil.rmtree(target, ignore_errors=True)
            raise
        finally:
            shutil.rmtree(self._folders.backup_scratch, ignore_errors=True)
        return report

    def _check(self, target: Path) -> None:
        root = self._folders.root.resolve()
        if os.path.lexists(target):
            raise BackupError(f"{target} exists already; name a folder that does not")
        if target.resolve().is_relative_to(root):
            raise BackupError(f"{target} is inside the data folder {root}; name one elsewhere")

    def _fill(self, target: Path) -> BackupReport:
        """Copy everything; the databases by way of links next to them, which take no time."""
        folders, scratch = self._folders, DataFolders(self._folders.backup_scratch)
        copy = DataFolders(target)
        scratch.ordering_blocks.parent.mkdir(parents=True)
        heights = self._ledgers.checkpoint(scratch.ledger)
        self._orders.checkpoint(scratch.ordering_blocks)
        for source, end in (
            (scratch.ledger, copy.ledger),
            (scratch.ordering_blocks, copy.ordering_blocks),
        ):
            self._copy(source, end, linking=True)
        left = [folders.ledger, folders.ordering_blocks, *folders.passing]
        self._copy(folders.root, target, leaving=left)
        return BackupReport(
            heights=heights,
            size=sum(file.stat().st_size for file in target.rglob("*") if file.is_file()),
        )

    def _copy(
        self,
        source: Path,
        target: Path,
        *,
        leaving: list[Path] | None = None,
        linking: bool = False,
    ) -> None:
        """Copy the files below *source* without those of *leaving* and half-written ones."""
        for file in _files(source, leaving or []):
            end = target / file.relative_to(source)
            end.parent.mkdir(parents=True, exist_ok=True)
            if not (linking and file.suffix in _NEVER_CHANGED and _linked(file, end)):
                self._copy_file(file, end)

    def _copy_file(self, source: Path, target: Path) -> None:
        mode = source.stat().st_mode & 0o777
        descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        with source.open("rb") as reader, os.fdopen(descriptor, "wb") as writer:
            while chunk := reader.read(_CHUNK):
                if self._stopping.is_set():
                    raise BackupError("the peer stops; make the backup again")
                writer.write(chunk)


def back_up_stopped(folder: Path, target: Path) -> BackupReport:
    """Make the new folder *target* a copy of a data folder that no peer uses.

    Raises BackupError, also when one does, or when *folder* is no data folder.
    """
    folders = DataFolders(folder)
    try:
        DATA_FORMAT.check(folder)
        with folders.take(), LedgerStore.open(folders.ledger) as ledgers:
            orders = OrderStore(folders.ordering_blocks)
            try:
                return Backups(folders, ledgers=ledgers, orders=orders).make(target)
            finally:
                orders.close()
    except (StorageError, LedgerError, ConfigurationError) as error:
        raise BackupError(str(error)) from error


def _files(folder: Path, leaving: list[Path]) -> Iterator[Path]:
    for entry in sorted(folder.iterdir()):
        # A leading dot is a draft that somebody writes at this moment, or left.
        if entry in leaving or entry.name.startswith("."):
            continue
        if entry.is_dir():
            yield from _files(entry, leaving)
        elif entry.is_file():
            yield entry


def _linked(source: Path, target: Path) -> bool:
    """Whether the file could be given a second name; not across file systems."""
    try:
        os.link(source, target)
    except OSError:
        return False
    return True
