"""The one error of this package."""

from __future__ import annotations


class StorageError(Exception):
    """A folder cannot be opened, read or written; the text is one line that names it."""
