"""One chaincode call and its outcome (fabric-wire.md §1.3, §1.6)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from fabric_protos.peer.chaincode_event_pb2 import ChaincodeEvent
from fabric_protos.peer.chaincode_pb2 import ChaincodeInput
from fabric_protos.peer.proposal_pb2 import SignedProposal
from fabric_protos.peer.proposal_response_pb2 import Response

from treadle_peer.ledger import HistoryReader, Simulator


class ExecutionError(Exception):
    """The chaincode gave no usable answer.

    The text is Fabric's, complete up to but without the ``error in simulation: `` prefix:
    launch failures, timeouts, a lost stream, or the chaincode's own ERROR message.
    """


class CallKind(Enum):
    """Which message starts the work."""

    INIT = "init"
    INVOKE = "invoke"


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """Everything a chaincode process is told, and what its requests may touch.

    ``simulator`` and ``history`` are ``None`` where there is no ledger (channel ``""``).
    A call made by another chaincode on the same channel shares the caller's simulator.
    ``answer_by`` (the event loop's clock) is when an answer must be there to reach who asked; it
    ends the waiting for a launch, never a running transaction. ``None``: they wait for ever.
    """

    kind: CallKind
    channel_id: str
    tx_id: str
    chaincode_name: str
    ccid: str
    input: ChaincodeInput
    signed_proposal: SignedProposal
    simulator: Simulator | None
    history: HistoryReader | None
    key_level_endorsement: bool = True
    purge_private_data: bool = False
    answer_by: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a finished chaincode said. The event already carries the peer's name and tx id."""

    response: Response
    event: ChaincodeEvent | None
