"""A real Fabric peer and ours: the same organisation, the same channel, the same blocks."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from fabric_protos.peer.proposal_response_pb2 import ProposalResponse
from harness.both_peers import Pair
from harness.onepeer import Consortium, OnePeer
from harness.operations import InProcess, over_stream
from harness.real_peer import PlayedOrderer, RealPeer, Shim, free_port
from treadle_fabric.packages import wrap_code, write_archive

CHAINCODES = ("probe:1", "other:1", "probe:2")


@pytest.fixture
async def pair(tmp_path: Path, fabric_bin: Path, fabric_sampleconfig: Path) -> AsyncIterator[Pair]:
    consortium = Consortium()
    port = free_port()
    genesis = consortium.genesis(orderer_address=f"127.0.0.1:{port}")
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
