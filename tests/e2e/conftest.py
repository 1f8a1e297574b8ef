"""What the real cluster needs from the machine."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from cluster.layout import default_binaries
from e2e.local_cluster import COMMANDS, PROGRAMS


def _missing() -> str | None:
    """What a local cluster lacks on this machine, in a sentence."""
    if os.geteuid() != 0:
        return "a local cluster is started by root"
    for command in COMMANDS:
        if shutil.which(command) is None:
            return f"{command} is not installed; tools/ci-install.sh installs it"
    for program in PROGRAMS:
        if not (default_binaries() / program).exists():
            return f"{program} is not built; run tools/kubernetes-binaries.sh all"
    return None


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip on a developer's machine; fail where nothing may be skipped silently."""
    reason = _missing() if item.get_closest_marker("cluster") else None
    if reason is None:
        return
    if os.environ.get("CI") == "true":
        pytest.fail(f"a real part is missing in CI: {reason}", pytrace=False)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def kubernetes_bin() -> Path:
    """The folder of the real Kubernetes programs."""
    return default_binaries()
