"""The bridge: joins a chaincode to a peer where its shim cannot do that itself (design §2).

``link`` holds the rules without I/O, ``fan`` those for several peers, ``runner`` pumps the streams,
``lanes`` spreads transactions over the streams of a Python server; the gRPC ends are in
``treadle_peer.server.chaincode_grpc``.
"""

from treadle_peer.chaincode.bridge.lanes import LanedStream
from treadle_peer.chaincode.bridge.link import Link, Record, ToPeer, ToShim
from treadle_peer.chaincode.bridge.records import TransactionRecord
from treadle_peer.chaincode.bridge.runner import Backoff, Bridge, Dial, first_of

__all__ = [
    "Backoff",
    "Bridge",
    "Dial",
    "LanedStream",
    "Link",
    "Record",
    "ToPeer",
    "ToShim",
    "TransactionRecord",
    "first_of",
]
