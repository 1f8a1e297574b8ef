"""Running things on this machine: a peer, a chaincode, and what clients of them need."""

from treadle_cli.local.children import Child, last_lines, poll
from treadle_cli.local.network import LocalNetwork
from treadle_cli.local.peer import LocalPeer

__all__ = ["Child", "LocalNetwork", "LocalPeer", "last_lines", "poll"]
