"""Production chaincode that an operator builds and starts: what it must run, and what came of it.

``required`` is the registry of wanted runtimes, ``records`` keeps it over restarts, ``watching``
tells it to operators, ``outputs`` keeps what builds gave. ``OperatorLauncher`` implements the
Launcher that ``chaincode.launching`` consumes.
"""

from treadle_peer.chaincode.runtimes.launcher import OperatorLauncher
from treadle_peer.chaincode.runtimes.model import (
    Origin,
    Output,
    Phase,
    Report,
    ReportError,
    Runtime,
    RuntimeState,
)
from treadle_peer.chaincode.runtimes.outputs import OutputDraft, OutputError, OutputStore
from treadle_peer.chaincode.runtimes.records import RuntimeRecords
from treadle_peer.chaincode.runtimes.required import RequiredRuntimes
from treadle_peer.chaincode.runtimes.watching import Removed, Synced, Watch

__all__ = [
    "OperatorLauncher",
    "Origin",
    "Output",
    "OutputDraft",
    "OutputError",
    "OutputStore",
    "Phase",
    "Removed",
    "Report",
    "ReportError",
    "RequiredRuntimes",
    "Runtime",
    "RuntimeRecords",
    "RuntimeState",
    "Synced",
    "Watch",
]
