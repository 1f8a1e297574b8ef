"""The bridge: joins a chaincode to a peer where its shim cannot do that itself (design §2).

``link`` holds the rules without I/O, ``runner`` pumps the streams; the gRPC ends are in
``treadle_peer.server.chaincode_grpc``.
"""

from treadle_peer.chaincode.bridge.link import Link, Record, ToPeer, ToShim
from treadle_peer.chaincode.bridge.records import TransactionRecord
from treadle_peer.chaincode.bridge.runner import Backoff, Bridge

__all__ = ["Backoff", "Bridge", "Link", "Record", "ToPeer", "ToShim", "TransactionRecord"]
