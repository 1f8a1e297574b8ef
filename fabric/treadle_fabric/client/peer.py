"""Talking to one peer: endorsement and its deliver services."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from fabric_protos.common.common_pb2 import Block
from fabric_protos.peer.events_pb2 import DeliverResponse, FilteredBlock
from fabric_protos.peer.proposal_pb2 import SignedProposal
from fabric_protos.peer.proposal_response_pb2 import ProposalResponse

from treadle_fabric.client.connection import Connection
from treadle_fabric.client.endpoints import Endpoint
from treadle_fabric.client.errors import ClientError
from treadle_fabric.client.streams import DeliverStream


class PeerConnection:
    """A connection to a peer's client port (7051); use it as an async context manager."""

    def __init__(self, endpoint: Endpoint) -> None:
        self.endpoint = endpoint
        self._connection = Connection(endpoint)

    async def wait_ready(self, *, within: float = 3.0, fail_fast: bool = False) -> None:
        """Connect within *within* seconds; raises ConnectionFailed."""
        await self._connection.wait_ready(within=within, fail_fast=fail_fast)

    async def endorse(
        self, proposal: SignedProposal, *, within: float = 30.0, init_must_succeed: bool = False
    ) -> ProposalResponse:
        """The peer's answer, endorsed or not; raises CallFailed or DeadlinePassed.

        *init_must_succeed* asks a Treadle peer not to endorse an instantiate whose Init answers
        with a status from 400 on; Fabric's peers do not know it.
        """
        return await self._connection.unary(
            "/protos.Endorser/ProcessProposal",
            proposal,
            ProposalResponse,
            within=within,
            metadata=(("treadle-init", "must-succeed"),) if init_must_succeed else (),
        )

    def deliver(self) -> DeliverStream[Block]:
        """Open a stream of whole blocks (Application Readers)."""
        call = self._connection.stream("/protos.Deliver/Deliver", DeliverResponse)
        return DeliverStream(call, unwrap=_block, source=f"blocks of {self.endpoint.address}")

    def deliver_filtered(self) -> DeliverStream[FilteredBlock]:
        """Open a stream of filtered blocks: transaction ids and codes, no payloads."""
        call = self._connection.stream("/protos.Deliver/DeliverFiltered", DeliverResponse)
        source = f"filtered blocks of {self.endpoint.address}"
        return DeliverStream(call, unwrap=_filtered_block, source=source)

    async def close(self) -> None:
        """Close the connection; streams end."""
        await self._connection.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()


def _block(response: DeliverResponse) -> Block | int:
    kind = response.WhichOneof("Type")
    if kind == "block":
        return response.block
    return _status(response, kind)


def _filtered_block(response: DeliverResponse) -> FilteredBlock | int:
    kind = response.WhichOneof("Type")
    if kind == "filtered_block":
        return response.filtered_block
    return _status(response, kind)


def _status(response: DeliverResponse, kind: str | None) -> int:
    if kind != "status":
        raise ClientError(f"received unexpected response type ({kind})")
    return response.status
