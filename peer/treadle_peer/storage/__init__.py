"""Durable ordered maps on RocksDB: the only package that knows it.

A ``Database`` is one folder with named column families of bytes to bytes, written in atomic
batches that are on disk when ``write`` returns. Used by the ledger and by the ordering service.
"""

from treadle_peer.storage.cursors import Cursor
from treadle_peer.storage.database import Batch, Database, Family, Snapshot
from treadle_peer.storage.errors import StorageError
from treadle_peer.storage.formats import UNFINISHED_BACKUP, Format
from treadle_peer.storage.locks import FolderLock
from treadle_peer.storage.tuning import BlockCache

__all__ = [
    "UNFINISHED_BACKUP",
    "Batch",
    "BlockCache",
    "Cursor",
    "Database",
    "Family",
    "FolderLock",
    "Format",
    "Snapshot",
    "StorageError",
]
