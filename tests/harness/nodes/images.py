"""What stands for images: a search path on this host, and the folders that a container sees."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from harness.chaincodes import sources
from harness.kubernetes.resources import ROOT

SYSTEM = ("usr", "bin", "sbin", "lib", "lib64", "opt")
"""Folders of the host's root that every container sees, read-only."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """``path`` is its PATH; ``folders`` of the host are there read-only, at the given places.

    ``caches`` are folders of the host that everybody may write into and that outlast containers.
    ``command`` is what runs where a container names none.
    """

    path: tuple[str, ...] = ()
    folders: Mapping[str, Path] = field(default_factory=dict)
    caches: Mapping[str, Path] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    command: tuple[str, ...] = ()

    @property
    def variables(self) -> dict[str, str]:
        search = (*self.path, "/usr/local/bin", "/usr/bin", "/bin")
        return {"PATH": ":".join(search), **self.environment}


def here(path: Path) -> dict[str, Path]:
    """A folder at its own place."""
    return {str(path): path}


PEER = Image(
    path=(str(ROOT / ".venv" / "bin"),),
    folders={**here(ROOT), **here(Path(sys.base_prefix).resolve())},
)
"""The checkout with its virtual environment: peer, treadle-pod."""
STOCK = Image()
"""A shell and what else the host has."""


def golang() -> Image:
    """Go as the host has it, with the modules of its cache and nothing from the network.

    What was compiled is kept for the next build: the shim alone takes most of a minute.
    """
    root, modules = (
        Path(subprocess.check_output(["go", "env", name], text=True).strip())
        for name in ("GOROOT", "GOMODCACHE")
    )
    # Pods have no way to the network: what the example needs is fetched here.
    subprocess.run(
        ["go", "list", "-mod=readonly", "-deps", "."],
        cwd=sources("go"), stdout=subprocess.DEVNULL, check=True,
    )  # fmt: skip
    compiled = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache", "treadle", "nodes")
    compiled = compiled / "go-build"
    compiled.mkdir(parents=True, exist_ok=True)
    compiled.chmod(0o777)
    return Image(
        path=("/go/root/bin",),
        folders={"/go/root": root, "/go/mod": modules},
        caches={"/go/build": compiled},
        environment={
            "GOCACHE": "/go/build",
            "GOMODCACHE": "/go/mod",
            "GOPROXY": "off",
            "GOTOOLCHAIN": "local",
        },
    )
