"""All ledgers of a peer in one folder."""

from __future__ import annotations

import re
import shutil
import threading
from pathlib import Path
from types import TracebackType

from fabric_protos.common.common_pb2 import Block
from treadle_fabric.durable import make_folder, sync_folder
from treadle_fabric.wire import WireError, channel_id_of

from treadle_peer.ledger.errors import LedgerError
from treadle_peer.ledger.ledger import Ledger
from treadle_peer.ledger.views import SNAPSHOT_MAX_AGE
from treadle_peer.storage import BlockCache, FolderLock, Format

_STORE_FORMAT = Format("ledgers", 1)
_CHANNEL_ID = re.compile(r"[a-z][a-z0-9.-]{0,248}")


class LedgerStore:
    """The ledgers of all channels that the peer has joined; exclusively ours until ``close``.

    Folder layout: ``channels/<channel id>`` is a complete ledger; ``creating/`` is rubbish of a
    join that did not finish.
    """

    def __init__(self, folder: Path, lock: FolderLock, *, snapshot_max_age: float) -> None:
        self._channels = folder / "channels"
        self._creating = folder / "creating"
        self._lock = lock
        self._snapshot_max_age = snapshot_max_age
        self._cache = BlockCache()
        self._mutex = threading.Lock()
        self._ledgers: dict[str, Ledger] = {}

    @classmethod
    def open(cls, folder: Path, *, snapshot_max_age: float = SNAPSHOT_MAX_AGE) -> LedgerStore:
        """Open all ledgers in *folder*, which is made when missing.

        Raises StorageError when the folder is in use, damaged or of another format.
        """
        _STORE_FORMAT.claim(folder)
        store = cls(folder, FolderLock(folder), snapshot_max_age=snapshot_max_age)
        try:
            store._open_all()
        except BaseException:
            store.close()
            raise
        return store

    def names(self) -> list[str]:
        """The channels, in order."""
        return sorted(self._ledgers)

    def get(self, channel_id: str) -> Ledger | None:
        """The ledger of a channel, or None."""
        return self._ledgers.get(channel_id)

    def create(self, genesis_block: Block) -> Ledger:
        """Make the ledger of the channel that *genesis_block* begins.

        A crash leaves either no ledger or a complete one. Raises LedgerError with Fabric's texts.
        """
        channel_id = _checked_channel_id(genesis_block)
        with self._mutex:
            if channel_id in self._ledgers:
                raise LedgerError(
                    f"cannot create ledger from genesis block: ledger [{channel_id}] already "
                    "exists with state [ACTIVE]"
                )
            draft = self._creating / channel_id
            shutil.rmtree(draft, ignore_errors=True)
            Ledger.create(draft, genesis_block).close()
            target = self._channels / channel_id
            draft.rename(target)
            sync_folder(self._channels)
            ledger = self._open_one(target)
            self._ledgers[channel_id] = ledger
            return ledger

    def checkpoint(self, folder: Path) -> dict[str, int]:
        """Make the new folder *folder* a copy of all ledgers as they are, one after the other.

        Returns the heights; joins wait meanwhile. Raises StorageError.
        """
        with self._mutex:
            _STORE_FORMAT.claim(folder)
            channels = folder / self._channels.name
            return {name: each.checkpoint(channels / name) for name, each in self._ledgers.items()}

    def close(self) -> None:
        """Close all ledgers and free the folder; harmless when done already."""
        with self._mutex:
            ledgers, self._ledgers = self._ledgers, {}
            try:
                for ledger in ledgers.values():
                    ledger.close()
            finally:
                self._lock.release()

    def __enter__(self) -> LedgerStore:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _open_all(self) -> None:
        shutil.rmtree(self._creating, ignore_errors=True)
        self._creating.mkdir()
        make_folder(self._channels)
        for folder in sorted(self._channels.iterdir()):
            self._ledgers[folder.name] = self._open_one(folder)

    def _open_one(self, folder: Path) -> Ledger:
        return Ledger.open(
            folder, folder.name, cache=self._cache, snapshot_max_age=self._snapshot_max_age
        )


def _checked_channel_id(genesis_block: Block) -> str:
    try:
        channel_id = channel_id_of(genesis_block)
    except WireError as error:
        raise LedgerError(f"cannot create ledger from genesis block: {error}") from error
    # The id becomes a folder name.
    if not _CHANNEL_ID.fullmatch(channel_id):
        raise LedgerError(f"bad channel ID: '{channel_id}' contains illegal characters")
    return channel_id
