"""lscc: the legacy lifecycle, install, deploy, upgrade, and its queries (fabric-wire.md §3.3)."""

from treadle_peer.endorse.scc.lscc.chaincode import Lscc
from treadle_peer.endorse.scc.lscc.install import InstalledCallback

__all__ = ["InstalledCallback", "Lscc"]
