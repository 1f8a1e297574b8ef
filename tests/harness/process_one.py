"""Processes 1 of our own, as containers have them."""

from __future__ import annotations

import shutil
import subprocess

NAMESPACE = ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc"]
"""Before a command: it runs as process 1, and all of it ends with ``unshare``."""


def alone() -> bool:
    """Whether this machine lets us have them."""
    if shutil.which("unshare") is None:
        return False
    return subprocess.run([*NAMESPACE, "true"], capture_output=True, check=False).returncode == 0
