"""Writing certificate and key files: durably whole or not at all, keys for the owner only."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from treadle_fabric.durable import make_folder, sync_folder


def write_public(path: Path, content: bytes) -> None:
    """Write a file that everyone may read; missing folders are made."""
    _write(path, content, mode=0o644)


def write_private(path: Path, content: bytes) -> None:
    """Write a file that only its owner may read, at no moment anyone else."""
    _write(path, content, mode=0o600)


def _write(path: Path, content: bytes, *, mode: int) -> None:
    make_folder(path.parent)
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            os.fchmod(file.fileno(), mode)
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    sync_folder(path.parent)
