"""What builds gave: one file per runtime, there whole or not at all, never changed.

Blocking; callers run the methods in a thread.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, Final

from treadle_fabric.durable import make_folder, sync_folder

from treadle_peer.chaincode.runtimes.model import Output

_FILE: Final = "output"
_DRAFT: Final = ".receiving-"


class OutputError(Exception):
    """An output cannot be taken; the text is a sentence for the builder."""


class OutputStore:
    """Outputs below the folders that *folder_of* names."""

    def __init__(self, folder_of: Callable[[str], Path], *, most_bytes: int) -> None:
        self._folder_of = folder_of
        self._most_bytes = most_bytes

    def forget_drafts(self, ccid: str) -> None:
        """Remove what uploads left that a stop of the peer interrupted."""
        for draft in self._folder_of(ccid).glob(f"{_DRAFT}*"):
            draft.unlink()

    def receive(self, ccid: str, promised: Output) -> OutputDraft:
        """Begin to store what a builder sends; raises OutputError when it would be too large."""
        if promised.size > self._most_bytes:
            raise OutputError(
                f"the output has {promised.size} bytes, more than {self._most_bytes} "
                "(treadle.runtime.maxOutputBytes)"
            )
        folder = self._folder_of(ccid)
        make_folder(folder)
        return OutputDraft(folder, promised)

    def open(self, ccid: str) -> BinaryIO:
        """The stored output; raises OSError."""
        return (self._folder_of(ccid) / _FILE).open("rb")


class OutputDraft:
    """An output on its way. End it with ``settle`` or ``discard``."""

    def __init__(self, folder: Path, promised: Output) -> None:
        descriptor, name = tempfile.mkstemp(dir=folder, prefix=_DRAFT)
        self._file = os.fdopen(descriptor, "wb")
        self._path = Path(name)
        self._promised = promised
        self._digest = hashlib.sha256()
        self._size = 0

    def write(self, data: bytes) -> None:
        """Take the next bytes; raises OutputError for more than was promised, and OSError."""
        self._size += len(data)
        if self._size > self._promised.size:
            raise OutputError(f"more came than the {self._promised.size} bytes of the head")
        self._digest.update(data)
        self._file.write(data)

    def check(self) -> None:
        """Everything came as promised, and is on disk; raises OutputError, OSError."""
        if self._size != self._promised.size:
            raise OutputError(f"{self._size} bytes came, not the {self._promised.size} of the head")
        if (found := self._digest.hexdigest()) != self._promised.sha256:
            raise OutputError(f"the SHA-256 of what came is {found}, not {self._promised.sha256}")
        self._file.flush()
        os.fsync(self._file.fileno())

    def settle(self) -> None:
        """Put what was checked in its place, durably."""
        self._file.close()
        self._path.replace(self._path.parent / _FILE)
        sync_folder(self._path.parent)

    def discard(self) -> None:
        """Leave nothing behind. Idempotent, also after ``settle``."""
        self._file.close()
        self._path.unlink(missing_ok=True)
