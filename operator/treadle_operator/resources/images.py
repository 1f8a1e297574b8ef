"""Which images the operator uses where nobody names others. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Images:
    """Images that the operator was told to use; by language where a language has its own."""

    peer: str
    builders: Mapping[str, str] = field(default_factory=dict)
    runtimes: Mapping[str, str] = field(default_factory=dict)
