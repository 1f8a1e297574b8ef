"""One channel as an application sees it: evaluate, invoke, instantiate, read blocks.

async with PeerConnection(endpoint) as peer, OrdererConnection(where) as orderer:
    channel = Channel(name="mychannel", signer=me, peers=[peer], orderer=orderer)
    result = await channel.invoke("asset", ["transfer", "a", "b"])
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import TypeVar

from fabric_protos.common.common_pb2 import Block
from fabric_protos.peer.events_pb2 import FilteredBlock
from fabric_protos.peer.proposal_response_pb2 import ProposalResponse

from treadle_fabric.client.commits import Commit, CommitWatch
from treadle_fabric.client.connection import all_of
from treadle_fabric.client.errors import ClientError, EndorsementFailed
from treadle_fabric.client.legacy import Deployment, deployment_args
from treadle_fabric.client.orderer import OrdererConnection
from treadle_fabric.client.peer import PeerConnection
from treadle_fabric.client.seeking import FOREVER, Position, seek_request
from treadle_fabric.client.streams import DeliverStream
from treadle_fabric.wire import (
    BuiltProposal,
    SignerLike,
    assemble_transaction,
    build_proposal,
    sign_envelope,
)

Argument = str | bytes

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Deadlines:
    """Seconds to wait for each kind of answer; ``deploy`` covers building and launching."""

    endorse: float = 30.0
    deploy: float = 600.0
    broadcast: float = 30.0
    commit: float = 30.0
    deliver: float = 10.0


@dataclass(frozen=True, slots=True)
class Endorsed:
    """A proposal with the endorsements it got; all responses carry the same payload."""

    proposal: BuiltProposal
    responses: tuple[ProposalResponse, ...]

    @property
    def payload(self) -> bytes:
        """What the chaincode returned."""
        return self.responses[0].response.payload


@dataclass(frozen=True, slots=True)
class Receipt:
    """A committed, valid transaction: the chaincode's answer and where it was committed."""

    payload: bytes
    commit: Commit

    @property
    def tx_id(self) -> str:
        """The transaction's id."""
        return self.commit.tx_id


class Channel:
    """One channel through some of its peers and one orderer; *peers[0]* answers queries.

    Holds no connection of its own: whoever made the connections closes them.
    """

    def __init__(
        self,
        *,
        name: str,
        signer: SignerLike,
        peers: Sequence[PeerConnection],
        orderer: OrdererConnection | None = None,
        deadlines: Deadlines | None = None,
    ) -> None:
        if not peers:
            raise ValueError(f"channel {name} needs at least one peer")
        self.name = name
        self._signer = signer
        self._peers = tuple(peers)
        self._orderer = orderer
        self._deadlines = deadlines or Deadlines()

    def propose(
        self,
        chaincode: str,
        args: Sequence[Argument],
        *,
        transient: Mapping[str, bytes] | None = None,
    ) -> BuiltProposal:
        """A signed proposal to call *chaincode* with *args*; nothing is sent."""
        return build_proposal(
            signer=self._signer,
            channel_id=self.name,
            chaincode_name=chaincode,
            args=[as_bytes(argument) for argument in args],
            transient=transient,
            tls_cert_hash=self._peers[0].endpoint.tls_cert_hash,
        )

    async def endorse(
        self,
        proposal: BuiltProposal,
        *,
        peers: Sequence[PeerConnection] | None = None,
        within: float | None = None,
    ) -> Endorsed:
        """Ask *peers* (default: all of the channel) at once.

        *within* replaces the deadline. Raises EndorsementFailed for the first peer that did not
        endorse, or CallFailed.
        """
        seconds = self._deadlines.endorse if within is None else within
        asked = (_endorsement(peer, proposal, within=seconds) for peer in peers or self._peers)
        return Endorsed(proposal, tuple(await all_of(asked)))

    async def evaluate(
        self,
        chaincode: str,
        args: Sequence[Argument],
        *,
        transient: Mapping[str, bytes] | None = None,
    ) -> bytes:
        """Run *chaincode* at the first peer only and return its payload: a query."""
        proposal = self.propose(chaincode, args, transient=transient)
        return (await self.endorse(proposal, peers=self._peers[:1])).payload

    async def invoke(
        self,
        chaincode: str,
        args: Sequence[Argument],
        *,
        transient: Mapping[str, bytes] | None = None,
    ) -> Receipt:
        """Endorse at every peer, order, and wait until every peer has committed.

        Raises EndorsementFailed, WireError (answers differ), BroadcastRefused, NotCommitted
        (invalid in its block), DeadlinePassed or CallFailed.
        """
        endorsed = await self.endorse(self.propose(chaincode, args, transient=transient))
        return await self.submit(endorsed)

    async def submit(self, endorsed: Endorsed) -> Receipt:
        """Order *endorsed* and wait until every peer has committed it as valid."""
        commits = await self._submit_watched(endorsed)
        for commit in commits:
            commit.check()
        return Receipt(endorsed.payload, commits[0])

    async def broadcast(self, endorsed: Endorsed) -> None:
        """Order *endorsed* without waiting for its commit."""
        payload = assemble_transaction(
            proposal=endorsed.proposal.proposal_bytes, responses=endorsed.responses
        )
        if self._orderer is None:
            raise ClientError(f"channel {self.name} was opened without an orderer")
        envelope = sign_envelope(self._signer, payload)
        await self._orderer.broadcast(envelope, within=self._deadlines.broadcast)

    async def _submit_watched(self, endorsed: Endorsed) -> list[Commit]:
        async with AsyncExitStack() as stack:
            watches = [
                await stack.enter_async_context(
                    CommitWatch(peer=peer, tx_id=endorsed.proposal.tx_id)
                )
                for peer in self._peers
            ]
            within = self._deadlines.deliver
            await all_of(
                watch.open(signer=self._signer, channel_id=self.name, within=within)
                for watch in watches
            )
            await self.broadcast(endorsed)
            waits = (watch.commit(within=self._deadlines.commit) for watch in watches)
            return await all_of(waits)

    async def instantiate(self, deployment: Deployment) -> Receipt:
        """Instantiate an installed chaincode (legacy lifecycle) and wait for the commit."""
        return await self._deploy("deploy", deployment)

    async def upgrade(self, deployment: Deployment) -> Receipt:
        """Upgrade an instantiated chaincode (legacy lifecycle) and wait for the commit."""
        return await self._deploy("upgrade", deployment)

    async def _deploy(self, verb: str, deployment: Deployment) -> Receipt:
        proposal = self.propose("lscc", deployment_args(verb, self.name, deployment))
        endorsed = await self.endorse(
            proposal, peers=self._peers[:1], within=self._deadlines.deploy
        )
        return await self.submit(endorsed)

    async def block(self, at: Position) -> Block:
        """One block from the first peer; waits for one that is still to come."""
        stream = self._peers[0].deliver()
        async for block in self._read(stream, start=at, stop=at, within=self._deadlines.deliver):
            return block
        raise ClientError(f"no block {at} on channel {self.name}")

    def blocks(
        self, *, start: Position = "newest", stop: Position = FOREVER, within: float | None = None
    ) -> AsyncIterator[Block]:
        """Blocks from the first peer as they come; *within* bounds the wait for each."""
        return self._read(self._peers[0].deliver(), start=start, stop=stop, within=within)

    def filtered_blocks(
        self, *, start: Position = "newest", stop: Position = FOREVER, within: float | None = None
    ) -> AsyncIterator[FilteredBlock]:
        """Filtered blocks from the first peer as they come."""
        return self._read(self._peers[0].deliver_filtered(), start=start, stop=stop, within=within)

    async def _read(
        self,
        stream: DeliverStream[_T],
        *,
        start: Position,
        stop: Position,
        within: float | None,
    ) -> AsyncIterator[_T]:
        request = seek_request(
            signer=self._signer,
            channel_id=self.name,
            start=start,
            stop=stop,
            tls_cert_hash=self._peers[0].endpoint.tls_cert_hash,
        )
        async with stream:
            await stream.seek(request, within=self._deadlines.deliver)
            async for item in stream.items(within=within):
                yield item


def as_bytes(argument: Argument) -> bytes:
    """A chaincode argument on the wire: text as UTF-8."""
    return argument.encode() if isinstance(argument, str) else argument


async def _endorsement(
    peer: PeerConnection, proposal: BuiltProposal, *, within: float
) -> ProposalResponse:
    response = await peer.endorse(proposal.signed, within=within)
    if not response.HasField("endorsement"):
        raise EndorsementFailed(peer.endpoint.address, response)
    return response
