"""The peer, composed: ``run_peer`` for the command line, ``PeerNode`` for programs and tests."""

from treadle_peer.main.node import PeerNode
from treadle_peer.main.run import run_peer
from treadle_peer.main.state import Addresses

__all__ = ["Addresses", "PeerNode", "run_peer"]
