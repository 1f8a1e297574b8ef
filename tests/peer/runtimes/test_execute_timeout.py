"""How long a transaction may take is set for each runtime, and outlasts the peer."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

import grpc
import pytest
from harness.chaincodes import built
from harness.networks import Network, connected
from harness.operators import Operator, build, start_pod
from harness.peers import PeerProcess
from harness.processes import Started
from treadle_fabric.client import ClientError, Deployment
from treadle_fabric.packages import language_number
from treadle_runtime.v1 import runtime_pb2 as pb

pytestmark = [pytest.mark.toolchain("go"), pytest.mark.timeout(180)]

CCID = "asset:1"
ASKED, SET, SLOWER = 1500, 4, 8000  # milliseconds, seconds, milliseconds


async def slept(network: Network, milliseconds: int) -> str:
    """Empty, or why the chaincode did not sleep so long."""
    try:
        await network.channel.evaluate("asset", ["sleep", str(milliseconds)])
    except ClientError as error:
        return str(error)
    return ""


@pytest.mark.long
async def test_a_runtime_has_a_bound_of_its_own_until_it_is_taken_back(
    make_peer: Callable[..., PeerProcess], pods: list[Started]
) -> None:
    peer = make_peer(CORE_CHAINCODE_EXECUTETIMEOUT="1s")
    async with connected(peer) as network, Operator.of(peer) as operator:
        await network.install("asset", "go")
        row = await operator.require(CCID, execute_timeout=SET)
        assert row.execute_timeout.seconds == SET
        await build(operator, CCID, built("go") / "chaincode")
        pods.append((await start_pod(operator, CCID))[0])
        await operator.until(CCID, pb.STATE_REGISTERED)
        args = (b"init", b"alice", b"100")
        language = language_number("golang")
        await network.channel.instantiate(
            Deployment(name="asset", version="1", args=args, path="asset", language_type=language)
        )
        assert await slept(network, ASKED) == ""
        begun = time.monotonic()
        assert "timeout expired while executing transaction" in await slept(network, SLOWER)
        assert time.monotonic() - begun < SLOWER / 1000
    assert await asyncio.to_thread(peer.stop) == 0
    await asyncio.to_thread(peer.start)
    async with connected(peer) as network, Operator.of(peer) as operator:
        assert (await operator.rows())[CCID].execute_timeout.seconds == SET
        await operator.until(CCID, pb.STATE_REGISTERED)
        assert await slept(network, ASKED) == ""
        assert not (await operator.require(CCID)).HasField("execute_timeout")
        assert "timeout expired" in await slept(network, ASKED)


async def test_a_bound_below_a_second_is_refused(make_peer: Callable[..., PeerProcess]) -> None:
    peer = make_peer()
    async with connected(peer) as network, Operator.of(peer) as operator:
        await network.install("asset", "go")
        with pytest.raises(grpc.aio.AioRpcError, match="an execute timeout is at least one second"):
            await operator.require(CCID, execute_timeout=0)
