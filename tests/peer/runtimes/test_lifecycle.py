"""From install to upgrade with an operator: built once, started by it, shared by all channels."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import grpc
import pytest
from harness.chaincodes import built, newer
from harness.impostors import Papers, dialled
from harness.networks import Network, connected
from harness.operators import TOLD_HOST, Operator, build, start_pod
from harness.peers import PeerProcess
from harness.processes import Started
from harness.runtimes import metrics
from treadle_fabric.client import Channel, Deadlines, Deployment
from treadle_fabric.packages import language_number
from treadle_runtime.v1 import runtime_pb2 as pb

pytestmark = [pytest.mark.toolchain("go"), pytest.mark.timeout(180)]

INIT = ("init", "alice", "100", "bob", "20")


def deployment(version: str, *init: str) -> Deployment:
    return Deployment(
        name="asset",
        version=version,
        args=tuple(one.encode() for one in init or INIT),
        path="asset",
        language_type=language_number("golang"),
    )


def second_channel(network: Network) -> Channel:
    return Channel(
        name="second",
        signer=network.admin,
        peers=[network.peer],
        orderer=network.orderer,
        deadlines=Deadlines(endorse=60, commit=60),
    )


async def balance(channel: Channel, name: str) -> int:
    answer = json.loads(await channel.evaluate("asset", ["query", name]))
    return int(answer["balance"])


async def serve(operator: Operator, ccid: str, executable: Path) -> tuple[Started, str]:
    """Build and start *ccid* as soon as the peer requires it; the pod and its papers' folder."""
    await operator.until(ccid, pb.STATE_REQUIRED)
    head = await build(operator, ccid, executable)
    assert (head.ccid, head.language) == (ccid, "golang")
    assert head.path.endswith("/accounts"), "as its go.mod says"
    pod, papers = await start_pod(operator, ccid)
    return pod, str(papers.folder)


async def test_a_chaincode_is_built_started_shared_restarted_with_and_upgraded(
    make_peer: Callable[..., PeerProcess], pods: list[Started], tmp_path: Path
) -> None:
    peer = make_peer()
    async with connected(peer) as network, Operator.of(peer) as operator:
        await network.install("asset", "go")
        async with asyncio.TaskGroup() as together:
            serving = together.create_task(serve(operator, "asset:1", built("go") / "chaincode"))
            together.create_task(network.channel.instantiate(deployment("1")))
        pod, papers = serving.result()
        pods.append(pod)
        assert await balance(network.channel, "bob") == 20
        await network.channel.invoke("asset", ["transfer", "alice", "bob", "5"])
        row = (await operator.rows())["asset:1"]
        assert (row.state, row.origin, row.instances) == (
            pb.STATE_REGISTERED,
            pb.ORIGIN_CLIENT,
            1,
        )
        assert (row.name, row.version, row.language) == ("asset", "1", "golang")

    restart(peer, channel="second")
    async with connected(peer) as network, Operator.of(peer) as operator:
        await operator.until("asset:1", pb.STATE_REGISTERED)
        assert await balance(network.channel, "bob") == 25
        await second_channel(network).instantiate(deployment("1", "init", "carol", "7"))
        assert await balance(second_channel(network), "carol") == 7
        assert await balance(network.channel, "bob") == 25
        launches = [name for name in metrics(peer.addresses["operations"]) if "launch_dur" in name]
        assert not launches, "the pod came back by itself"
        assert pod.running()
        await upgrade(network, operator, pods, newer("go", tmp_path / "newer") / "chaincode")
        await check_retired(operator, peer, Path(papers))
    await check_committed(peer)


def restart(peer: PeerProcess, *, channel: str) -> None:
    assert peer.stop() == 0
    peer.environment = {**peer.environment, "CORE_TREADLE_CHANNEL": channel}
    peer.start()


async def upgrade(
    network: Network, operator: Operator, pods: list[Started], executable: Path
) -> None:
    """The new version is built and registered before the upgrade, as the operator does it."""
    await network.install("asset", "go", "2")
    required = await operator.require("asset:2")
    assert (required.origin, required.state) == (pb.ORIGIN_OPERATOR, pb.STATE_REQUIRED)
    pod, _ = await serve(operator, "asset:2", executable)
    pods.append(pod)
    await operator.until("asset:2", pb.STATE_REGISTERED)
    for channel in (network.channel, second_channel(network)):
        await channel.upgrade(deployment("2", "init", "dave", "1"))
        told = json.loads(await channel.evaluate("asset", ["version"]))
        assert told["version"] == "2"


async def check_retired(operator: Operator, peer: PeerProcess, folder: Path) -> None:
    """Nobody needs version 1 any more: its pod and its certificate are out, also later."""
    await operator.release("asset:1")
    rows = await operator.rows()
    assert (rows["asset:1"].state, rows["asset:1"].instances) == (pb.STATE_STOPPED, 0)
    assert rows["asset:2"].state == pb.STATE_REGISTERED
    port = peer.environment["CORE_TREADLE_CHAINCODE_LAUNCHEDADDRESS"].rpartition(":")[2]
    for attempt in ("at once", "after a restart"):
        code, sentence = await asyncio.to_thread(
            dialled, f"{TOLD_HOST}:{port}", "asset:1", Papers(folder=folder).credentials()
        )
        assert code is grpc.StatusCode.PERMISSION_DENIED, attempt
        assert "its certificate is retired" in sentence
        if attempt == "at once":
            await asyncio.to_thread(restart, peer, channel="second")


async def check_committed(peer: PeerProcess) -> None:
    """A peer that knows of no runtimes, as after the process launcher, requires what is defined."""
    assert await asyncio.to_thread(peer.stop) == 0
    await asyncio.to_thread(shutil.rmtree, peer.data / "chaincode" / "runtimes")
    await asyncio.to_thread(peer.start)
    async with Operator.of(peer) as operator:
        await operator.until("asset:2", pb.STATE_REGISTERED)
        (row,) = (await operator.rows()).values()
    assert (row.ccid, row.origin, row.attempt) == ("asset:2", pb.ORIGIN_COMMITTED, 1)
