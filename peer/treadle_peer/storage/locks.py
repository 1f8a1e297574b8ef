"""An exclusive lock on a folder, held by one process and released by its death."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from types import TracebackType

from treadle_fabric.durable import make_folder

from treadle_peer.storage.errors import StorageError, explained

_FILE = "LOCK"


class FolderLock:
    """Holds ``<folder>/LOCK`` from construction to ``release``.

    The kernel drops the lock when the process ends, however it ends. Raises StorageError that
    names the holder when another process has it.
    """

    def __init__(self, folder: Path) -> None:
        self._descriptor: int | None = None
        try:
            make_folder(folder)
            descriptor = os.open(folder / _FILE, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise StorageError(f"{folder}: {explained(error)}") from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            holder = os.read(descriptor, 32).decode("ascii", "replace").strip() or "unknown"
            os.close(descriptor)
            raise StorageError(f"{folder}: in use by process {holder}; stop it first") from error
        os.truncate(descriptor, 0)
        os.write(descriptor, f"{os.getpid()}\n".encode("ascii"))
        self._descriptor = descriptor

    def release(self) -> None:
        """Let others in; harmless when done already."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            os.close(descriptor)

    def __enter__(self) -> FolderLock:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.release()
