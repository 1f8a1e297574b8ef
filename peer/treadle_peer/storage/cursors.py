"""Ordered reading of one column family."""

from __future__ import annotations

from rocksdict import Rdict, RdictIter, ReadOptions

from treadle_peer.storage.errors import StorageError, explained


class Cursor:
    """Iterates over ``(key, value)`` with ``start <= key < end``, in byte order or against it.

    Sees the family as it was when the cursor was made. Pins the files it reads until closed,
    exhausted or dropped. For one thread at a time.
    """

    __slots__ = ("_end", "_iterator", "_reverse", "_start")

    def __init__(self, family: Rdict, *, start: bytes, end: bytes | None, reverse: bool) -> None:
        options = ReadOptions()
        if end is not None:
            options.set_iterate_upper_bound(end)
        self._start = start
        # RocksDB keeps a pointer into the bound; it must live as long as the iterator.
        self._end = end
        self._reverse = reverse
        iterator = family.iter(options)
        if reverse:
            iterator.seek_to_last()
        else:
            iterator.seek(start)
        self._iterator: RdictIter | None = iterator

    def __iter__(self) -> Cursor:
        return self

    def __next__(self) -> tuple[bytes, bytes]:
        iterator = self._iterator
        if iterator is None:
            raise StopIteration
        if not iterator.valid():
            self._finish(iterator)
            raise StopIteration
        key: bytes = iterator.key()
        value: bytes = iterator.value()
        if not self._reverse:
            iterator.next()
            return key, value
        # rocksdict 0.3.29 takes a lower bound for an upper one, hence a check of our own.
        if key < self._start:
            self._iterator = None
            raise StopIteration
        iterator.prev()
        return key, value

    def close(self) -> None:
        """Stop and let go of the files; harmless when done already."""
        self._iterator = None

    def _finish(self, iterator: RdictIter) -> None:
        self._iterator = None
        try:
            # An iterator also becomes invalid by an unreadable file.
            iterator.status()
        except Exception as error:
            raise StorageError(f"cannot read on: {explained(error)}") from error
