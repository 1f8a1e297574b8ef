"""A real Fabric peer and ours, given the same proposals and the same blocks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import grpc
from fabric_protos.common.common_pb2 import Block, BlockMetadataIndex
from fabric_protos.peer.proposal_response_pb2 import ProposalResponse
from fabric_protos.peer.transaction_pb2 import TxValidationCode
from harness.crafting import Forgery, results, write_set
from harness.onepeer import CHANNEL, OnePeer
from harness.real_peer import PlayedOrderer, RealPeer
from treadle_fabric.client.legacy import Deployment, deployment_args
from treadle_fabric.policy import parse_policy
from treadle_fabric.wire import BuiltProposal, get_metadata
from treadle_peer.endorse import ProposalRefused
from treadle_peer.ledger import CommittedBlock


@dataclass(slots=True)
class Pair:
    """Both peers; whatever is sent goes to both."""

    ours: OnePeer
    real: RealPeer
    orderer: PlayedOrderer

    async def ask(self, proposal: BuiltProposal) -> tuple[object, object]:
        """Our answer and the real one; a string where the call is refused."""
        return await self._ours(proposal), await self._real(proposal)

    async def _ours(self, proposal: BuiltProposal) -> ProposalResponse | str:
        try:
            return await self.ours.process(proposal.signed)
        except ProposalRefused as error:
            return str(error)

    async def _real(self, proposal: BuiltProposal) -> ProposalResponse | str:
        try:
            return await self.real.process_proposal(proposal.signed)
        except grpc.aio.AioRpcError as error:
            refused = error.code() is grpc.StatusCode.UNKNOWN
            return error.details() or "" if refused else repr(error)

    async def commit(self, block: Block) -> tuple[CommittedBlock, Block]:
        """The block as both have committed it."""
        number = block.header.number
        ours = await self.ours.committer().deliver(block)
        self.orderer.add(block)
        await self.real.committed(number)
        query = self.ours.proposal("qscc", "GetBlockByNumber", CHANNEL, str(number), channel_id="")
        answer = await self.real.process_proposal(query.signed)
        return ours, Block.FromString(answer.response.payload)


async def deploy(
    pair: Pair, name: str, policy: str | None = None, verb: str = "deploy", version: str = "1"
) -> None:
    """Deploy (or, with *verb*, upgrade) a chaincode at both peers, without a process."""
    consortium = pair.ours.consortium
    deployment = Deployment(
        name=name, version=version, policy=parse_policy(policy) if policy else None
    )
    args = deployment_args(verb, CHANNEL, deployment)
    proposal, answer = await pair.ours.propose("lscc", *args, signer=consortium.admin)
    assert answer.response.status == 200, answer.response.message
    envelope = pair.ours.transaction(proposal, answer, signer=consortium.admin)
    assert await commit(pair, envelope) == ["VALID"]


async def commit(pair: Pair, *envelopes: bytes) -> list[str]:
    """Commit a block of *envelopes* at both peers: the codes, on which they must agree."""
    ours, real = await pair.commit(pair.ours.next_block(*envelopes))
    slots = (BlockMetadataIndex.TRANSACTIONS_FILTER, BlockMetadataIndex.COMMIT_HASH)
    here, there = ([get_metadata(block, slot) for slot in slots] for block in (ours.block, real))
    assert [TxValidationCode.Name(c) for c in here[0]] == [
        TxValidationCode.Name(c) for c in there[0]
    ]
    assert here == there
    return [TxValidationCode.Name(code) for code in ours.codes]


def forge(pair: Pair, **changes: Any) -> bytes:
    """A transaction of chaincode ``probe`` that is honest but for *changes*, see Forgery."""
    consortium = pair.ours.consortium
    made: dict[str, Any] = {
        "creator": consortium.client,
        "endorsers": [consortium.peer],
        "results": results(("probe", write_set(writes={"k": "v"}))),
    } | changes
    return Forgery(**made).envelope()
