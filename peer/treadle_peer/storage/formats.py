"""The format version that every data folder carries, in a small text file named FORMAT."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from treadle_fabric.durable import make_folder, sync_folder

from treadle_peer.storage.errors import StorageError, explained

_FILE = "FORMAT"
_MAKER = "treadle"


@dataclass(frozen=True, slots=True)
class Format:
    """What lies in a folder (``kind``, one word) and how (``version``)."""

    kind: str
    version: int

    def mark(self, folder: Path) -> None:
        """Durably say that *folder* is of this format, whatever it was before; raises OSError."""
        _write_durably(folder / _FILE, f"{_MAKER} {self.kind} {self.version}\n")

    def check(self, folder: Path) -> None:
        """Raises StorageError when *folder* is marked otherwise, or not at all."""
        try:
            text = (folder / _FILE).read_text(encoding="utf-8", errors="replace")
        except OSError as error:
            raise StorageError(f"{folder / _FILE}: {error.strerror or error}") from error
        self._check(folder, text)

    def claim(self, folder: Path) -> None:
        """Create *folder* and mark it, or check the mark it has.

        Raises StorageError when the folder has another kind or version, or holds foreign files.
        """
        try:
            make_folder(folder)
            self._claim(folder)
        except OSError as error:
            raise StorageError(f"{folder}: {explained(error)}") from error

    def _claim(self, folder: Path) -> None:
        file = folder / _FILE
        if file.exists():
            self._check(folder, file.read_text(encoding="utf-8", errors="replace"))
            _keep_name(folder)
            return
        if any(not _harmless(entry.name) for entry in folder.iterdir()):
            raise StorageError(
                f"{folder}: not empty and without a {_FILE} file, so not a Treadle {self.kind} "
                "folder; choose another one"
            )
        self.mark(folder)

    def _check(self, folder: Path, text: str) -> None:
        words = text.split()
        if len(words) != 3 or words[0] != _MAKER or not words[2].isdecimal():
            raise StorageError(f"{folder}: unreadable {_FILE} file")
        if words[1] == UNFINISHED_BACKUP.kind != self.kind:
            raise StorageError(
                f"{folder}: is a backup that was not finished; remove it and make another one"
            )
        if words[1] != self.kind:
            raise StorageError(f"{folder}: is of kind {words[1]}, not {self.kind}")
        if int(words[2]) != self.version:
            raise StorageError(
                f"{folder}: {self.kind} format {words[2]}, but this Treadle reads format "
                f"{self.version}; run the Treadle that wrote it"
            )


UNFINISHED_BACKUP = Format("unfinished-backup", 1)
"""A folder that becomes a copy of another one; nobody can use it before it is marked as such."""


def _harmless(name: str) -> bool:
    """A mark that a crash left half written, or what a new disk holds."""
    return name.startswith(f".{_FILE}") or name == "lost+found"


def _write_durably(file: Path, text: str) -> None:
    # Renamed into place, so that a crash never leaves half a mark.
    draft = file.with_name(f".{file.name}.draft")
    with draft.open("w", encoding="utf-8") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())
    draft.replace(file)
    sync_folder(file.parent)


def _keep_name(folder: Path) -> None:
    # A process that was killed may have put the mark in place and not come to syncing it.
    with suppress(OSError):
        sync_folder(folder)
