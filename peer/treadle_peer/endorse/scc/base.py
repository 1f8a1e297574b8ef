"""What a system chaincode is given and gives back; no gRPC, no stream, no shim."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from fabric_protos.peer.chaincode_event_pb2 import ChaincodeEvent
from fabric_protos.peer.proposal_response_pb2 import Response
from treadle_fabric.policy import SignedData
from treadle_fabric.wire import UnpackedProposal

from treadle_peer.endorse.acl import signed_data
from treadle_peer.ledger import Simulator

OK = 200
ERROR = 500


class SystemChaincodeError(Exception):
    """The call failed: becomes a response with status 500 and this message."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemCall:
    """One call. ``proposal`` is the client's, also when another chaincode makes the call;
    ``simulator`` is ``None`` without a channel and for chaincodes that never touch state."""

    args: Sequence[bytes]
    channel_id: str
    proposal: UnpackedProposal
    simulator: Simulator | None

    @property
    def tx_id(self) -> str:
        """The transaction's id."""
        return self.proposal.tx_id

    @property
    def function(self) -> str:
        """The first argument; empty without arguments."""
        return text(self.args[0]) if self.args else ""

    @property
    def signed(self) -> SignedData:
        """The client's signature, for policies."""
        return signed_data(self.proposal)

    def state(self, request: str) -> Simulator:
        """The simulator; raises SystemChaincodeError as *request* (``GET_STATE``) fails without."""
        if self.simulator is None:
            raise SystemChaincodeError(
                f"{request} failed: transaction ID: {self.tx_id}: no ledger context"
            )
        return self.simulator


@dataclass(frozen=True, slots=True)
class SystemOutcome:
    """What a system chaincode answers."""

    payload: bytes = b""
    event: ChaincodeEvent | None = field(default=None)

    def response(self) -> Response:
        """The successful response."""
        return Response(status=OK, payload=self.payload)


class SystemChaincode(Protocol):
    """One of lscc, cscc, qscc."""

    @property
    def name(self) -> str:
        """The name it is called by."""

    async def invoke(self, call: SystemCall) -> SystemOutcome:
        """Carry out *call*; raises SystemChaincodeError with Fabric's text."""


def text(argument: bytes) -> str:
    """An argument as text; what is no UTF-8 becomes surrogates, so that nobody can encode it."""
    return argument.decode(errors="surrogateescape")
