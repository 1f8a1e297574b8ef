"""Writing certificate and key files: durably whole or not at all, keys for the owner only."""

from __future__ import annotations

from pathlib import Path

from treadle_fabric.durable import make_folder, write_file


def write_public(path: Path, content: bytes) -> None:
    """Write a file that everyone may read; missing folders are made."""
    _write(path, content, mode=0o644)


def write_private(path: Path, content: bytes) -> None:
    """Write a file that only its owner may read, at no moment anyone else."""
    _write(path, content, mode=0o600)


def _write(path: Path, content: bytes, *, mode: int) -> None:
    make_folder(path.parent)
    write_file(path, content, mode=mode)
