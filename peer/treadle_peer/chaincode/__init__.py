"""Chaincode processes: their streams, their registry, and the calls that run on them.

``session`` is the protocol without I/O; ``instances`` its asyncio shell; ``admission`` and
``registry`` decide and record who may run; ``refusing`` answers those who never may; ``launching``
shares launches; ``support`` joins them.
``bridge`` carries streams for shims that cannot dial a peer. The processes themselves are started
by ``launch``.
"""

from treadle_peer.chaincode.admission import AdmissionRules
from treadle_peer.chaincode.errors import (
    Ending,
    ProtocolViolation,
    RegistrationRefused,
    StreamEnded,
    StreamLost,
)
from treadle_peer.chaincode.launching import Launcher
from treadle_peer.chaincode.modes import Mode, Modes
from treadle_peer.chaincode.observing import LaunchEnd, Observer
from treadle_peer.chaincode.refusing import MAX_REFUSED_BYTES, Doorkeeper
from treadle_peer.chaincode.registry import RuntimeRow, RuntimeState
from treadle_peer.chaincode.streams import (
    MAX_MESSAGE_BYTES,
    ChaincodeStream,
    ClosableStream,
    StreamPeer,
)
from treadle_peer.chaincode.support import ChaincodeSupport, SupportConfig

__all__ = [
    "MAX_MESSAGE_BYTES",
    "MAX_REFUSED_BYTES",
    "AdmissionRules",
    "ChaincodeStream",
    "ChaincodeSupport",
    "ClosableStream",
    "Doorkeeper",
    "Ending",
    "LaunchEnd",
    "Launcher",
    "Mode",
    "Modes",
    "Observer",
    "ProtocolViolation",
    "RegistrationRefused",
    "RuntimeRow",
    "RuntimeState",
    "StreamEnded",
    "StreamLost",
    "StreamPeer",
    "SupportConfig",
]
