"""The peer, composed: ``run_peer`` for the command line, ``PeerNode`` for programs and tests."""

from treadle_peer.main.node import PeerNode
from treadle_peer.main.run import REFUSALS, run_peer, stop_on_signals
from treadle_peer.main.state import Addresses

__all__ = ["REFUSALS", "Addresses", "PeerNode", "run_peer", "stop_on_signals"]
