"""The chaincode stream's protocol as a state machine without I/O.

``machine`` holds the states; each group of requests has a module of its own.
"""

from treadle_peer.chaincode.session.effects import (
    CancelInvoke,
    Effect,
    Failed,
    Finished,
    Invoke,
    Register,
    Send,
    TxKey,
)
from treadle_peer.chaincode.session.machine import TERMINATED, TIMED_OUT, Session, SessionState
from treadle_peer.chaincode.session.outcomes import outcome_of
from treadle_peer.chaincode.session.replies import type_name

__all__ = [
    "TERMINATED",
    "TIMED_OUT",
    "CancelInvoke",
    "Effect",
    "Failed",
    "Finished",
    "Invoke",
    "Register",
    "Send",
    "Session",
    "SessionState",
    "TxKey",
    "outcome_of",
    "type_name",
]
