"""A folder of named column families: point reads, cursors, snapshots, durable batches."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

import rocksdict
from rocksdict import Checkpoint, ColumnFamily, Rdict, WriteBatch
from treadle_fabric.durable import sync_folder

from treadle_peer.storage.cursors import Cursor
from treadle_peer.storage.errors import StorageError, explained
from treadle_peer.storage.formats import Format
from treadle_peer.storage.tuning import LARGE_VALUE, BlockCache, database_options, family_options

_log = logging.getLogger(__name__)
_MISSING = "key not found"
_DATA = "data"


@dataclass(frozen=True, slots=True)
class Family:
    """A column family and the size of its write buffer in bytes."""

    name: str
    write_buffer: int = 4 << 20


class Batch:
    """Puts and deletes that become visible and durable together."""

    __slots__ = ("_batch", "_handles", "_large")

    def __init__(self, handles: dict[str, ColumnFamily]) -> None:
        self._batch = WriteBatch(raw_mode=True)
        self._handles = handles
        self._large: set[str] = set()

    def put(self, family: str, key: bytes, value: bytes) -> None:
        """Set *key* of *family*; the last word on a key wins."""
        self._batch.put(key, value, self._handles[family])
        if len(value) >= LARGE_VALUE:
            self._large.add(family)

    def delete(self, family: str, key: bytes) -> None:
        """Remove *key* of *family*, present or not."""
        self._batch.delete(key, self._handles[family])

    def take(self) -> WriteBatch:
        """The collected writes; for Database.write."""
        return self._batch

    @property
    def large(self) -> frozenset[str]:
        """The families that got values above 1 MiB."""
        return frozenset(self._large)


class Snapshot:
    """Point reads from one family as it was; ordered reads are not offered.

    rocksdict 0.3.29 (and older) ignores the snapshot when it makes an iterator from one, so
    only ``get`` can be trusted; a Cursor is consistent as of its own creation instead.
    """

    __slots__ = ("_snapshot",)

    def __init__(self, family: Rdict) -> None:
        self._snapshot = family.snapshot()

    def get(self, key: bytes) -> bytes | None:
        """The value of *key* then, or None."""
        try:
            value: bytes = self._snapshot[key]
        except Exception as error:
            if str(error) == _MISSING:
                return None
            raise StorageError(f"cannot read: {explained(error)}") from error
        return value


class Database:
    """An open folder; exclusively ours until ``close``.

    Reads may come from any thread; writes from one at a time.
    """

    def __init__(
        self,
        path: Path,
        root: Rdict,
        *,
        format: Format,
        families: Sequence[Family],
        durable: bool,
    ) -> None:
        self.path = path
        self._format = format
        self._root = root
        self._durable = durable
        self._failed = False
        self._families = {each.name: root.get_column_family(each.name) for each in families}
        self._handles = {each.name: root.get_column_family_handle(each.name) for each in families}

    @classmethod
    def open(
        cls,
        path: Path,
        *,
        format: Format,
        families: Sequence[Family],
        cache: BlockCache | None = None,
        durable: bool = True,
    ) -> Database:
        """Open or create the folder *path*.

        ``durable=False`` is for data that can be thrown away: writes are not synced. Raises
        StorageError for another format, a folder in use, or damaged files.
        """
        format.claim(path)
        shared = cache or BlockCache()
        options = {
            each.name: family_options(write_buffer=each.write_buffer, cache=shared)
            for each in families
        }
        try:
            root = Rdict(str(path / _DATA), database_options(), column_families=options)
            # RocksDB keeps the names in its folder, not that of the folder.
            sync_folder(path)
        except Exception as error:
            raise StorageError(f"{path}: {_reason(error)}") from error
        return cls(path, root, format=format, families=families, durable=durable)

    def get(self, family: str, key: bytes) -> bytes | None:
        """The current value of *key*, or None."""
        try:
            value: bytes | None = self._family(family).get(key)
        except rocksdict.DbClosedError as error:
            raise self._closed() from error
        except Exception as error:
            raise StorageError(f"{self.path}: cannot read: {explained(error)}") from error
        return value

    def scan(
        self, family: str, *, start: bytes = b"", end: bytes | None = None, reverse: bool = False
    ) -> Cursor:
        """A cursor over ``[start, end)``; ``end=None`` is open-ended."""
        try:
            return Cursor(self._family(family), start=start, end=end, reverse=reverse)
        except rocksdict.DbClosedError as error:
            raise self._closed() from error

    def snapshot(self, family: str) -> Snapshot:
        """The family as it is now, for point reads, until the object is dropped."""
        try:
            return Snapshot(self._family(family))
        except rocksdict.DbClosedError as error:
            raise self._closed() from error

    def batch(self) -> Batch:
        """An empty batch for ``write``."""
        if not self._families:
            raise self._closed()
        return Batch(self._handles)

    def write(self, batch: Batch) -> None:
        """Apply *batch* whole and return when it is on disk.

        The log is synced by a second call, because that one releases the interpreter lock while
        the disk works. In between others may see data that a power loss would take back: readers
        that must not, wait until this returns. Large values go to their files at once. Raises
        StorageError; the batch is then not durable.
        """
        try:
            self._root.write(batch.take())
            if self._durable:
                self._root.flush_wal(True)
        except rocksdict.DbClosedError as error:
            raise self._closed() from error
        except Exception as error:
            self._failed = True
            raise StorageError(f"{self.path}: cannot write: {explained(error)}") from error
        self._flush(batch.large)

    def _flush(self, names: Iterable[str]) -> None:
        """Move values out of memory. What is in the log already cannot be lost here."""
        try:
            for name in names:
                self._families[name].flush(True)
        except Exception as error:
            _log.warning("%s: values stay in memory: %s", self.path, error)

    def checkpoint(self, folder: Path) -> None:
        """Make the new folder *folder* a copy of the database as of some write until now.

        Tables and large values are hard links, so *folder* should be on the same file system:
        elsewhere they are copied while nothing else in this process runs. Raises StorageError.
        """
        # What is flushed before need not be flushed in the next call, which stops everything.
        self._flush(self._families)
        try:
            self._format.claim(folder)
            Checkpoint(self._root).create_checkpoint(str(folder / _DATA))
        except rocksdict.DbClosedError as error:
            raise self._closed() from error
        except Exception as error:
            raise StorageError(f"{self.path}: cannot be copied to {folder}: {error}") from error

    def close(self) -> None:
        """Write buffers out and free the folder; harmless when done already.

        Snapshots and cursors must be gone: each keeps the folder locked. After a write that
        failed nothing is raised again.
        """
        families, self._families = self._families, {}
        self._handles.clear()
        failures = []
        for part in (*families.values(), self._root) if families else ():
            try:
                part.close()
            except Exception as error:
                failures.append(error)
        if failures and not self._failed:
            told = f"{self.path}: cannot close: {explained(failures[0])}"
            raise StorageError(told) from failures[0]

    def __enter__(self) -> Database:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _family(self, name: str) -> Rdict:
        family = self._families.get(name)
        if family is None:
            raise self._closed() if not self._families else KeyError(name)
        return family

    def _closed(self) -> StorageError:
        return StorageError(f"{self.path}: already closed")


def _reason(error: Exception) -> str:
    text = str(error)
    if "LOCK" in text or "lock hold" in text:
        return "in use by another process or not yet closed by this one"
    return f"cannot open: {explained(error)}"
