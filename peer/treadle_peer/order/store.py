"""The ordering's own blocks, durable before anyone sees them.

One database for all channels: family ``channels`` names them, family ``blocks`` maps
``channel 0x00 number(8 bytes, big-endian)`` to the marshalled block.
"""

from __future__ import annotations

import struct
import threading
from pathlib import Path

from treadle_peer.storage import Database, Family, Format, StorageError

_FORMAT = Format(kind="ordering", version=1)
_CHANNELS = "channels"
_BLOCKS = "blocks"


class OrderStore:
    """Blocks by channel and number. Reads from any thread; writes are serialised here."""

    def __init__(self, folder: Path) -> None:
        """Open or create *folder*; raises StorageError."""
        self._database = Database.open(
            folder, format=_FORMAT, families=[Family(_CHANNELS), Family(_BLOCKS)]
        )
        self._writing = threading.Lock()

    def channels(self) -> list[str]:
        """All channels in alphabetical order."""
        return [name.decode() for name, _ in self._database.scan(_CHANNELS)]

    def height(self, channel_id: str) -> int:
        """How many blocks the channel has."""
        prefix = _prefix(channel_id)
        end = channel_id.encode() + b"\x01"
        newest = next(self._database.scan(_BLOCKS, start=prefix, end=end, reverse=True), None)
        return 0 if newest is None else _number(newest[0]) + 1

    def block_bytes(self, channel_id: str, number: int) -> bytes:
        """The marshalled block; raises StorageError when it does not exist."""
        block = self._database.get(_BLOCKS, _key(channel_id, number))
        if block is None:
            raise StorageError(f"the ordering has no block {number} of channel {channel_id}")
        return block

    def append(self, channel_id: str, number: int, block: bytes) -> None:
        """Store a block; it is on disk when this returns. Blocking."""
        with self._writing:
            batch = self._database.batch()
            batch.put(_BLOCKS, _key(channel_id, number), block)
            if number == 0:
                batch.put(_CHANNELS, channel_id.encode(), b"")
            self._database.write(batch)

    def checkpoint(self, folder: Path) -> None:
        """Make the new folder *folder* a copy of all blocks until now; raises StorageError."""
        with self._writing:
            self._database.checkpoint(folder)

    def close(self) -> None:
        """Free the folder."""
        with self._writing:
            self._database.close()


def _prefix(channel_id: str) -> bytes:
    return channel_id.encode() + b"\x00"


def _key(channel_id: str, number: int) -> bytes:
    return _prefix(channel_id) + struct.pack(">Q", number)


def _number(key: bytes) -> int:
    return int(struct.unpack(">Q", key[-8:])[0])
