"""What a developer types to start an own process: the peer's own lines."""

from treadle_peer.chaincode.startlines import DevelopmentFiles
from treadle_peer.chaincode.startlines import start_line as start_hint

__all__ = ["DevelopmentFiles", "start_hint"]
