"""Where a local cluster keeps its files, and the addresses inside of it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
NODE = "node"
SERVICES = "10.96.0.0/16"
API_SERVICE = "10.96.0.1"
DNS_SERVICE = "10.96.0.10"
PODS = "10.244.0.0/24"
TOOLS_IMAGE = "treadle.local/tools:1"


@dataclass(frozen=True, slots=True)
class Layout:
    """One folder holds everything; *number* keeps the links of two clusters on a host apart."""

    folder: Path
    binaries: Path
    number: int

    @property
    def name(self) -> str:
        """Of the host's link and of the cgroups."""
        return f"treadle{self.number}"

    @property
    def host_address(self) -> str:
        return f"172.29.{self.number}.1"

    @property
    def node_address(self) -> str:
        return f"172.29.{self.number}.2"

    @property
    def kubeconfig(self) -> Path:
        return self.folder / "admin.kubeconfig"

    @property
    def audit_log(self) -> Path:
        return self.folder / "audit.log"

    @property
    def containerd_socket(self) -> Path:
        return self.folder / "containerd.sock"

    def write(self, name: str, text: str) -> Path:
        """A file of that name directly in the folder."""
        path = self.folder / name
        path.write_text(text)
        return path


def default_folder() -> Path:
    """TREADLE_CLUSTER, or a folder of this checkout."""
    return Path(os.environ.get("TREADLE_CLUSTER") or ROOT / "build" / "cluster")


def default_binaries() -> Path:
    """Where tools/kubernetes-binaries.sh puts the real programs."""
    given = os.environ.get("TREADLE_KUBERNETES_BIN")
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(given) if given else Path(cache) / "treadle" / "kubernetes-v1.35.4" / "bin"
