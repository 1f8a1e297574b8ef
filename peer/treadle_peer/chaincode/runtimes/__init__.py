"""Production chaincode that an operator builds and starts: what it must run, and what came of it.

``required`` is the registry of wanted runtimes, ``records`` keeps it over restarts, ``watching``
tells it to operators, ``outputs`` keeps what builds gave, ``epochs`` knows which operator leads,
``refusals`` counts who was not let in, ``developments`` knows what developers run instead and
``policies`` keeps that. ``OperatorLauncher`` implements the Launcher that ``chaincode.launching``
consumes.
"""

from treadle_peer.chaincode.runtimes.developments import (
    Development,
    Developments,
    NotAllowed,
    NotOpen,
)
from treadle_peer.chaincode.runtimes.epochs import HIGHEST, Epochs, Superseded, Term
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
from treadle_peer.chaincode.runtimes.policies import Policies, Policy
from treadle_peer.chaincode.runtimes.records import RuntimeRecords
from treadle_peer.chaincode.runtimes.refusals import Refused
from treadle_peer.chaincode.runtimes.required import RequiredRuntimes
from treadle_peer.chaincode.runtimes.watching import Removed, Synced, Watch, WatchEnded

__all__ = [
    "HIGHEST",
    "Development",
    "Developments",
    "Epochs",
    "NotAllowed",
    "NotOpen",
    "OperatorLauncher",
    "Origin",
    "Output",
    "OutputDraft",
    "OutputError",
    "OutputStore",
    "Phase",
    "Policies",
    "Policy",
    "Refused",
    "Removed",
    "Report",
    "ReportError",
    "RequiredRuntimes",
    "Runtime",
    "RuntimeRecords",
    "RuntimeState",
    "Superseded",
    "Synced",
    "Term",
    "Watch",
    "WatchEnded",
]
