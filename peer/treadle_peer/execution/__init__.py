"""The words that endorsement and chaincode share: a call, its outcome, and who carries it out.

Pure data and interfaces. ``endorse`` decides *what* runs, ``chaincode`` *how*; neither imports
the other, both speak these types. ``main`` joins them.
"""

from treadle_peer.execution.calls import Call, CallKind, ExecutionError, Outcome
from treadle_peer.execution.ports import (
    ChaincodeExecutor,
    ChaincodeInvoker,
    InstalledPackage,
    PackageError,
    PackageRow,
    PackageStore,
)

__all__ = [
    "Call",
    "CallKind",
    "ChaincodeExecutor",
    "ChaincodeInvoker",
    "ExecutionError",
    "InstalledPackage",
    "Outcome",
    "PackageError",
    "PackageRow",
    "PackageStore",
]
