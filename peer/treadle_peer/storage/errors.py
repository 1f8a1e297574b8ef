"""The one error of this package, and what to do about its causes."""

from __future__ import annotations

_REMEDIES = {
    "No space left on device": "make room there",
    "Disk quota exceeded": "make room there",
    "File too large": "raise the limit on the size of files",
    "Read-only file system": "make it writable",
    "Permission denied": "let the peer's user read and write there",
    "Corruption": "it is damaged: restore it from a backup",
}


class StorageError(Exception):
    """A folder cannot be opened, read or written; the text is one line that names it."""


def explained(error: Exception) -> str:
    """What RocksDB or the system says, on one line, and what to do about it if that is known."""
    text = " ".join(str(error).split())
    remedy = next((told for cause, told in _REMEDIES.items() if cause in text), None)
    return text if remedy is None else f"{text}; {remedy}"
