"""What stands for images: a search path on this host, and the folders that a container sees."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from harness.kubernetes.resources import ROOT

SYSTEM = ("usr", "bin", "sbin", "lib", "lib64", "opt")
"""Folders of the host's root that every container sees, read-only."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """``path`` is its PATH; ``folders`` of the host are there read-only, at the given places."""

    path: tuple[str, ...] = ()
    folders: Mapping[str, Path] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)

    @property
    def variables(self) -> dict[str, str]:
        search = (*self.path, "/usr/local/bin", "/usr/bin", "/bin")
        return {"PATH": ":".join(search), **self.environment}


def here(path: Path) -> dict[str, Path]:
    """A folder at its own place."""
    return {str(path): path}


PEER = Image(
    path=(str(ROOT / ".venv" / "bin"),),
    folders={
        **here(ROOT),
        **here(Path(sys.base_prefix).resolve()),
    },
)
"""The checkout with its virtual environment: peer, treadle-pod."""
STOCK = Image(path=("/usr/local/go/bin",))
"""Shell and toolchains of this host."""
