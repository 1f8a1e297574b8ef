"""Changes of source files, a batch at a time; what builds leave behind does not count."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from treadle_cli.errors import TreadleError

if TYPE_CHECKING:
    from watchfiles import Change

QUIET_MILLISECONDS: Final = 100
"""A save is over when nothing has changed for so long: editors write several files."""
_LONGEST_MILLISECONDS: Final = 1_600
_BUILT: Final = frozenset({"target", "build", "dist", "out", "bin", ".gradle", ".venv", "venv"})


async def changes(paths: Sequence[Path]) -> AsyncIterator[Path]:
    """One changed file of each batch below *paths*; raises TreadleError.

    Waits for a quiet period after the first change.
    """
    try:
        from watchfiles import DefaultFilter, awatch
    except ImportError:
        raise TreadleError(
            "--watch needs the library watchfiles", 'pip install "treadle[watch]"'
        ) from None

    usual = DefaultFilter()

    def counts(change: Change, path: str) -> bool:
        return usual(change, path) and is_source(path, below=paths)

    async for batch in awatch(
        *paths, watch_filter=counts, step=QUIET_MILLISECONDS, debounce=_LONGEST_MILLISECONDS
    ):
        yield Path(min(path for _, path in batch))


def is_source(path: str, *, below: Sequence[Path]) -> bool:
    """Whether a change of *path* asks for a restart: not what a build writes beside its sources."""
    file = Path(path)
    inner = file.parts
    for root in below:
        if file.is_relative_to(root.absolute()):
            inner = file.relative_to(root.absolute()).parts
            break
    if _BUILT & set(inner[:-1]):
        return False
    # A program that was built here: `go build` names it after the folder, without a suffix.
    return bool(file.suffix) or not os.access(file, os.X_OK) or file.is_dir()
