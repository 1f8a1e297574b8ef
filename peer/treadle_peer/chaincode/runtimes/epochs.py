"""Which operator leads: the highest epoch of each, kept over restarts.

Operators of one name elect a leader, whose term has a number. What a lower one asks for is refused,
so that a leader that was stopped and goes on does nothing late.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from treadle_fabric.durable import sync_folder
from treadle_fabric.identity.files import write_private

from treadle_peer.storage import StorageError

HIGHEST: Final = 2**63 - 1


class Superseded(Exception):
    """A later leader is there; the sentence says which."""


@dataclass(frozen=True, slots=True)
class Term:
    """One operator's claim to lead; 0 is that of a caller who names no epoch."""

    operator: str
    epoch: int


class Epochs:
    """The file *file* holds the highest epoch of each operator."""

    def __init__(self, file: Path) -> None:
        """Raises StorageError for a damaged file."""
        self._file = file
        self._highest = _read(file) if file.exists() else {}
        self._open: dict[Callable[[str], None], Term] = {}

    def enter(self, term: Term) -> None:
        """Somebody acts in *term*: raises Superseded unless nobody has acted in a later one.

        A new highest one is on disk before anything is done in it, and ends what is open of
        earlier ones.
        """
        highest = self._highest.get(term.operator, 0)
        if term.epoch < highest:
            raise Superseded(_sentence(term, highest))
        if term.epoch > highest:
            rows = {**self._highest, term.operator: term.epoch}
            write_private(self._file, json.dumps(rows, indent=1).encode() + b"\n")
            sync_folder(self._file.parent)
            self._highest = rows
            self._end_earlier(term)

    def hold(self, term: Term, end: Callable[[str], None]) -> Callable[[], None]:
        """Call *end* with a sentence when *term* is over; returns what forgets it."""
        self._open[end] = term

        def forget() -> None:
            self._open.pop(end, None)

        return forget

    def _end_earlier(self, now: Term) -> None:
        for end, term in list(self._open.items()):
            if term.operator == now.operator and term.epoch < now.epoch:
                end(_sentence(term, now.epoch))


def _sentence(term: Term, highest: int) -> str:
    told = f"epoch {term.epoch}" if term.epoch else "no epoch"
    return (
        f"another operator leads: {term.operator} has acted in epoch {highest}, and this call is "
        f"of {told} (metadata treadle-epoch)"
    )


def _read(file: Path) -> dict[str, int]:
    try:
        return {str(name): int(epoch) for name, epoch in json.loads(file.read_bytes()).items()}
    except (ValueError, TypeError, AttributeError) as error:
        raise StorageError(f"{file} is damaged: restore it from a backup ({error})") from error
