"""A real Fabric peer and ours: the same organisation, the same channel, the same blocks."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import grpc
import pytest
from fabric_protos.common.common_pb2 import Block
from fabric_protos.peer.proposal_response_pb2 import ProposalResponse
from harness.onepeer import CHANNEL, Consortium, OnePeer
from harness.operations import InProcess, over_stream
from harness.real_peer import PlayedOrderer, RealPeer, Shim, free_port
from treadle_fabric.packages import wrap_code, write_archive
from treadle_fabric.wire import BuiltProposal
from treadle_peer.endorse import ProposalRefused
from treadle_peer.ledger import CommittedBlock

CHAINCODES = ("probe:1", "other:1", "probe:2")


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


@pytest.fixture
def capability() -> str:
    """The channel's Application capability; tests parametrize it."""
    return "V1_4_2"


@pytest.fixture
async def pair(
    tmp_path: Path, fabric_bin: Path, fabric_sampleconfig: Path, capability: str
) -> AsyncIterator[Pair]:
    consortium = Consortium()
    port = free_port()
    genesis = consortium.genesis(capability=capability, orderer_address=f"127.0.0.1:{port}")
    ours = OnePeer(tmp_path / "ours", consortium)
    orderer = PlayedOrderer(port)
    await orderer.start()
    real = RealPeer(
        binary=fabric_bin / "peer",
        config=fabric_sampleconfig,
        msp=tmp_path / "ours" / "msp",
        msp_id="Org1MSP",
        folder=tmp_path / "real",
    )
    shims: list[Shim] = []
    try:
        await real.start()
        both = Pair(ours, real, orderer)
        join = ours.proposal(
            "cscc", "JoinChain", genesis.SerializeToString(), channel_id="", signer=consortium.admin
        )
        for answer in await both.ask(join):
            assert isinstance(answer, ProposalResponse)
            assert answer.response.status == 200, answer.response.message
        for ccid in CHAINCODES:
            shims.append(Shim(real.chaincode_address, ccid, over_stream))
            await shims[-1].start()
            await _install(both, ccid)
        for name in ("probe", "other"):
            ours.executor.scripts[name] = InProcess(ours.executor)
        yield both
    finally:
        for shim in shims:
            await shim.stop()
        await real.stop()
        await orderer.stop()
        ours.close()


async def _install(both: Pair, ccid: str) -> None:
    name, version = ccid.split(":")
    raw = wrap_code(name=name, version=version, language="car", path="p", code=write_archive([]))
    install = both.ours.proposal(
        "lscc", "install", raw, channel_id="", signer=both.ours.consortium.admin
    )
    # The real peer stores the package, then complains about Docker.
    await both.ask(install)
