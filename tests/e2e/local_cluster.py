"""The local cluster as people start and end it: through the command line of tests/cluster."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
PROGRAMS = ("kubelet", "kube-proxy", "kube-scheduler", "coredns", "local-path-provisioner")
COMMANDS = ("containerd", "runc", "busybox", "etcd", "iptables", "conntrack", "unshare", "nsenter")


def cluster_command(folder: Path, *arguments: str, within: float = 300) -> str:
    """``python -m cluster …`` on the cluster of *folder*; what it prints."""
    done = subprocess.run(
        [sys.executable, "-m", "cluster", f"--folder={folder}", *arguments],
        env={**os.environ, "PYTHONPATH": str(TESTS)},
        capture_output=True, text=True, timeout=within, check=False,
    )  # fmt: skip
    assert done.returncode == 0, f"cluster {' '.join(arguments)}: {done.stderr}{done.stdout}"
    return done.stdout


@dataclass(frozen=True, slots=True)
class Programs:
    """The programs of the local cluster in *folder*, for tests that kill some of them."""

    folder: Path

    def kill(self, name: str) -> None:
        """As a crash would."""
        cluster_command(self.folder, "kill", name)

    def start(self, name: str) -> None:
        """Again, by the same command."""
        cluster_command(self.folder, "start", name)
