"""The peers, as the operator uses them: standard Fabric APIs and treadle.runtime.v1.

The only importer of grpc, treadle_fabric.client and treadle_runtime in the operator.
"""

from treadle_operator.model.peering import (
    Certificate,
    Definition,
    Deployment,
    Origin,
    Phase,
    Purpose,
    Runtime,
    State,
)
from treadle_operator.peers.connections import Connections
from treadle_operator.peers.model import PeerLink, Peers

__all__ = [
    "Certificate",
    "Connections",
    "Definition",
    "Deployment",
    "Origin",
    "PeerLink",
    "Peers",
    "Phase",
    "Purpose",
    "Runtime",
    "State",
]
