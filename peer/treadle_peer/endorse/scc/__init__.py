"""The system chaincodes: lscc, cscc, qscc, called through proposals like any chaincode.

They run inside the peer: plain objects with one method, free of streams and shims.
"""

from treadle_peer.endorse.scc.base import (
    SystemCall,
    SystemChaincode,
    SystemChaincodeError,
    SystemOutcome,
)
from treadle_peer.endorse.scc.cscc import Cscc
from treadle_peer.endorse.scc.lscc import InstalledCallback, Lscc
from treadle_peer.endorse.scc.qscc import Qscc

__all__ = [
    "Cscc",
    "InstalledCallback",
    "Lscc",
    "Qscc",
    "SystemCall",
    "SystemChaincode",
    "SystemChaincodeError",
    "SystemOutcome",
]
