"""What goes wrong with the operator reaches whoever waits, in words, and can be tried again."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator

import pytest
from harness.chaincodes import built
from harness.networks import Network, connected
from harness.operators import Operator, build, start_pod
from harness.peers import PeerProcess
from harness.processes import Started
from harness.runtimes import wait_for_runtime
from treadle_fabric.client import Deployment, EndorsementFailed, deployment_args
from treadle_fabric.packages import language_number
from treadle_runtime.v1 import runtime_pb2 as pb

pytestmark = pytest.mark.timeout(120)

BUILDING = "error building chaincode: error building image: "


@pytest.fixture
async def network(shared_peer: PeerProcess) -> AsyncIterator[Network]:
    async with connected(shared_peer) as made:
        yield made


@pytest.fixture
async def operator(shared_peer: PeerProcess) -> AsyncIterator[Operator]:
    async with Operator.of(shared_peer) as made:
        yield made


def deployment(name: str) -> Deployment:
    return Deployment(
        name=name,
        version="1",
        args=(b"init", b"a", b"1"),
        path=name,
        language_type=language_number("golang"),
    )


async def refused(network: Network, name: str, *, within: float = 30) -> str:
    """What a client is told whose instantiation fails, or that waits only that many seconds."""
    channel = network.channel
    proposal = channel.propose("lscc", deployment_args("deploy", channel.name, deployment(name)))
    with pytest.raises(EndorsementFailed) as told:
        await channel.endorse(proposal, within=within)
    message = str(told.value).partition("message '")[2].removesuffix("'")
    return message.replace(r"\n", "\n")  # the client quotes it


async def test_a_failed_build_is_told_with_the_log_and_wanted_anew_by_the_next_request(
    network: Network, operator: Operator, pods: list[Started]
) -> None:
    await network.install("broken", "go")
    waiting = asyncio.create_task(refused(network, "broken"))
    required = await operator.until("broken:1", pb.STATE_REQUIRED)
    assert required.attempt == 1
    await operator.report("broken:1", pb.PHASE_BUILDING, message="job started")
    row = await operator.report(
        "broken:1", pb.PHASE_FAILED, message="go build failed", log_tail="main.go:3: syntax\n"
    )
    sentence = "go build failed; the last lines of its log:\nmain.go:3: syntax"
    assert f"could not launch chaincode broken:1: {BUILDING}{sentence}" in await waiting
    assert (row.state, row.message) == (pb.STATE_FAILED, sentence)

    async with asyncio.TaskGroup() as together:
        together.create_task(network.channel.instantiate(deployment("broken")))
        again = await operator.until("broken:1", pb.STATE_REQUIRED)
        assert (again.attempt, again.message) == (2, "")
        await build(operator, "broken:1", built("go") / "chaincode")
        pods.append((await start_pod(operator, "broken:1"))[0])
    assert (await operator.rows())["broken:1"].state == pb.STATE_REGISTERED


async def test_a_crash_at_the_start_is_told_with_the_log(
    network: Network, operator: Operator, shared_peer: PeerProcess
) -> None:
    await network.install("crashing", "go")
    waiting = asyncio.create_task(refused(network, "crashing"))
    await operator.until("crashing:1", pb.STATE_REQUIRED)
    await operator.report("crashing:1", pb.PHASE_PULLING, message="pulling image x")
    address = shared_peer.addresses["operations"]
    await asyncio.to_thread(wait_for_runtime, address, "crashing:1", "launching")
    await operator.report(
        "crashing:1", pb.PHASE_FAILED, message="container exited with 2", log_tail="panic: no"
    )
    assert (
        "crashing:1: chaincode registration failed: container exited with 2; "
        "the last lines of its log:\npanic: no"
    ) in await waiting
    row = await asyncio.to_thread(wait_for_runtime, address, "crashing:1", "failed")
    assert "panic: no" in row["last_error"]


async def test_a_client_that_cannot_wait_is_told_how_far_it_is(
    network: Network, operator: Operator
) -> None:
    await network.install("slow", "go")
    first = await refused(network, "slow", within=1.5)
    assert re.search(
        r"slow:1: still waiting for the operator \(1 s\); try again; no operator is conn", first
    )
    watch = operator.watch()
    await watch.read()
    second = await refused(network, "slow", within=1.5)
    assert re.search(r"still waiting for the operator \([2-9] s\); try again$", second)
    await operator.report("slow:1", pb.PHASE_BUILDING)
    assert re.search(
        r"slow:1: still building \(1 s\); try again$", await refused(network, "slow", within=1.5)
    )
    assert re.search(r"still building \([2-9] s\); try", await refused(network, "slow", within=1.5))
    await operator.report("slow:1", pb.PHASE_STARTING)
    assert re.search(
        r"slow:1: still starting \(1 s\); try again$", await refused(network, "slow", within=1.5)
    )
    watch.cancel()


async def test_a_released_runtime_is_refused_at_once_and_may_be_wanted_again(
    network: Network, operator: Operator
) -> None:
    await network.install("gone", "go")
    waiting = asyncio.create_task(refused(network, "gone"))
    await operator.until("gone:1", pb.STATE_REQUIRED)
    await operator.release("gone:1")
    assert "the runtime of gone:1 was released; create a ChaincodeInst" in await waiting
    async with asyncio.timeout(5):  # only the launches' back-off
        told = await refused(network, "gone")
    assert "nobody wants a runtime for gone:1 any more; create a ChaincodeInstantiation" in told
    again = await operator.require("gone:1")
    assert (again.state, again.origin, again.attempt) == (pb.STATE_REQUIRED, pb.ORIGIN_OPERATOR, 2)
