"""What launched programs print: kept in files of bounded size, the end of it at hand."""

from __future__ import annotations

import os
import re
import threading
import time
from collections import deque
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO, Final

from treadle_fabric.redaction import without_credentials

_OLDER_FILES: Final = 2
_RECENT_BYTES: Final = 16 * 1024
_TAIL_LINES: Final = 20
_TAIL_BYTES: Final = 4096
_CHUNK: Final = 65536
_BYTES_PER_SECOND: Final = 16 << 20
_ESCAPES: Final = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]|[\x00-\x08\x0b-\x1f\x7f]")


def readable(content: bytes) -> str:
    """Text without terminal escapes, and without users and passwords in addresses."""
    text = content.decode("utf-8", "replace").replace("\r\n", "\n")
    return without_credentials(_ESCAPES.sub("", text))


def last_lines(content: bytes, lines: int = _TAIL_LINES) -> str:
    """The last lines that say something, at most 4 KiB of them."""
    # Cut last: half an address does not show that it is one.
    text = readable(content).encode()[-_TAIL_BYTES:].decode(errors="ignore")
    said = [line.rstrip() for line in text.splitlines()]
    return "\n".join([line for line in said if line][-lines:])


class CapturedLog:
    """One program's output. Written by one thread, read by others.

    *path* grows to *limit* bytes, then it becomes ``<path>.1``, and so on up to ``.2``.
    """

    def __init__(self, path: Path, *, limit: int) -> None:
        self._path = path
        self._limit = limit
        self._lock = threading.Lock()
        self._recent: deque[bytes] = deque()
        self._recent_size = 0
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file: BinaryIO = path.open("ab", buffering=0)

    @property
    def path(self) -> Path:
        """The newest file."""
        return self._path

    def write(self, content: bytes) -> None:
        """Append; output that a full disk does not take is lost, never waited for."""
        with self._lock:
            self._remember(content)
            try:
                if self._file.tell() + len(content) > self._limit:
                    self._rotate()
                self._file.write(content)
            except (OSError, ValueError):  # a full disk, or closed while output still comes
                return

    def tail(self, lines: int = _TAIL_LINES) -> str:
        """The last lines since this log was opened."""
        with self._lock:
            return last_lines(b"".join(self._recent), lines)

    def close(self) -> None:
        """Close the file; ``tail`` goes on working. Idempotent."""
        with self._lock:
            self._file.close()

    def _remember(self, content: bytes) -> None:
        self._recent.append(content[-_RECENT_BYTES:])
        self._recent_size += len(self._recent[-1])
        while self._recent_size - len(self._recent[0]) >= _RECENT_BYTES:
            self._recent_size -= len(self._recent.popleft())

    def _rotate(self) -> None:
        self._file.close()
        for number in range(_OLDER_FILES, 0, -1):
            older = _numbered(self._path, number)
            newer = _numbered(self._path, number - 1)
            if newer.exists():
                newer.replace(older)
        self._file = self._path.open("ab", buffering=0)


def copy_bounded(chunks: Iterable[bytes], log: CapturedLog) -> None:
    """Write all *chunks* to *log*, at no more than 16 MiB a second. Blocks."""
    for chunk in chunks:
        log.write(chunk)
        time.sleep(len(chunk) / _BYTES_PER_SECOND)


class LogPump(threading.Thread):
    """Copies a pipe into a log until nobody holds the pipe's other end any more.

    A thread, so that a program that prints without end never holds up the peer's loop; and at a
    bounded rate, so that it does not keep the interpreter busy either: the program waits then.
    """

    def __init__(self, pipe: BinaryIO, log: CapturedLog) -> None:
        super().__init__(name=f"log of {log.path.stem}", daemon=True)
        self._pipe = pipe
        self._log = log

    def run(self) -> None:
        """Copy."""
        with self._pipe:
            copy_bounded(iter(lambda: os.read(self._pipe.fileno(), _CHUNK), b""), self._log)
        self._log.close()


def _numbered(path: Path, number: int) -> Path:
    return path if number == 0 else path.with_name(f"{path.name}.{number}")
