"""The differences that are meant, at most fifteen; docs/differences.md lists them for users."""

from __future__ import annotations

from harness.differential.compare import Deliberate

MOST = 15

DELIBERATE: tuple[Deliberate, ...] = ()
