"""One small cluster for all tests whose pods run as processes."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from harness.nodes.machine import Machine


@pytest.fixture(scope="session")
def kubernetes_bin() -> Path:
    """Where tools/kubernetes-binaries.sh puts the real Kubernetes programs."""
    given = os.environ.get("TREADLE_KUBERNETES_BIN")
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(given) if given else Path(cache) / "treadle" / "kubernetes-v1.35.4" / "bin"


@pytest.fixture(scope="session")
def machine(tmp_path_factory: pytest.TempPathFactory, kubernetes_bin: Path) -> Iterator[Machine]:
    """For tests marked ``kubernetes`` and ``process_node``."""
    # Only they pay for what it imports.
    from harness.nodes import images
    from harness.nodes.machine import machine

    known = {"stock": images.STOCK, "peer": images.PEER}
    if shutil.which("go"):
        known["golang"] = images.golang()
    folder = tmp_path_factory.mktemp("machine")
    with machine(folder, binaries=kubernetes_bin, images=known) as running:
        yield running
