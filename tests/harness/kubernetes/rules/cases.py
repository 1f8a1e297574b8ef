"""The form of the tables: what is written, where the refusal points, what it says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Creation:
    """The minimal example of *kind* with other *fields* is refused at the field *at*."""

    kind: str
    name: str
    fields: Mapping[str, object]
    at: str
    sentence: str

    def __str__(self) -> str:
        return f"{self.kind}-{self.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """An object that was stored with the fields *before* is refused the fields *after*."""

    kind: str
    name: str
    after: Mapping[str, object]
    at: str
    sentence: str
    before: Mapping[str, object] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.kind}-{self.name}"
