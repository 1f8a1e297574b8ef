"""Everything that is wrong with a set of files, found in one go."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass, field


class PlayError(Exception):
    """The files cannot be played; the text has one line per problem."""


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One mistake: ``place`` is ``file:line``, ``text`` says what is wrong and what to write."""

    place: str
    text: str

    def __str__(self) -> str:
        return f"{self.place}: {self.text}"


@dataclass(slots=True)
class Findings:
    """What reading finds: problems stop the play, ``ignored`` fields are warned about once."""

    problems: list[Problem] = field(default_factory=list)
    ignored: list[str] = field(default_factory=list)

    def wrong(self, place: str, text: str) -> None:
        """Note a problem."""
        self.problems.append(Problem(place, text))

    def check(self) -> None:
        """Raise PlayError when there are problems."""
        if self.problems:
            raise PlayError("\n".join(str(problem) for problem in self.problems))

    def warning(self) -> str | None:
        """One sentence about the fields that mean nothing without a cluster; None for none."""
        if not self.ignored:
            return None
        fields = ", ".join(dict.fromkeys(self.ignored))
        return f"these fields mean nothing without a cluster and are ignored: {fields}"


def nearest(word: str, known: Iterable[str]) -> str:
    """``; did you mean x?`` for the known word closest to *word*, else the list of known ones."""
    words = [one for one in known if one]
    lowered = {one.lower(): one for one in words}
    close = difflib.get_close_matches(word.lower(), list(lowered), n=1, cutoff=0.6)
    close += [one for one in lowered if word and one.startswith(word.lower())]
    if close:
        return f"; did you mean {lowered[close[0]]}?"
    return f"; known: {', '.join(words)}" if words else ""
