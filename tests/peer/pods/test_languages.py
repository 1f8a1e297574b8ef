"""A package becomes a registered chaincode by the programs of pods alone, in each language."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import time
from pathlib import Path

import pytest
from harness.chaincodes import PEER_LANGUAGE
from harness.networks import Network, connected
from harness.operators import Operator
from harness.peers import PeerProcess
from harness.pods import Done, PodFolders, folders_for
from harness.processes import wait_until
from harness.runtimes import wait_for_runtime
from treadle_runtime.v1 import runtime_pb2 as pb

pytestmark = pytest.mark.timeout(300)

INIT = ("init", "alice", "100", "bob", "20")
BACK_SECONDS = 30  # what a busy machine may take; what it took is printed


@pytest.mark.parametrize(
    "language",
    [
        pytest.param("go", marks=pytest.mark.toolchain("go")),
        pytest.param("node", marks=pytest.mark.toolchain("node")),
        pytest.param("java", marks=pytest.mark.toolchain("java")),
        "python",
    ],
)
async def test_a_package_becomes_a_chaincode_that_outlives_its_peer(
    peer: PeerProcess, pods: list[PodFolders], tmp_path: Path, language: str
) -> None:
    async with connected(peer) as network, Operator.of(peer) as operator:
        await network.install("asset", language)
        runtime = await make_runtime(operator, language, tmp_path, pods)
        await operator.until("asset:1", pb.STATE_REGISTERED)
        await network.instantiate("asset", language, INIT)
        await transfer(network, expected=25)
    for end in (peer.kill, peer.stop):
        await asyncio.to_thread(end)
        if language != "python":
            await said(runtime, "is away; the chaincode waits for it")
            (runtime.folder / "chaincode.log").write_text("")
        await asyncio.to_thread(peer.start)
        ready = time.monotonic()
        await asyncio.to_thread(
            wait_for_runtime, peer.addresses["operations"], "asset:1", within=BACK_SECONDS
        )
        async with connected(peer) as network:
            assert json.loads(await network.channel.evaluate("asset", ["query", "bob"]))
        print(f"{language}: answers {time.monotonic() - ready:.1f} s after the peer was ready")
    assert all(one.running() for one in runtime.started), "nothing was started anew"
    await ends(runtime, peer)


async def make_runtime(
    operator: Operator, language: str, folder: Path, pods: list[PodFolders]
) -> PodFolders:
    """Build asset:1 and start its containers."""
    kind = PEER_LANGUAGE[language]
    await operator.require("asset:1")
    builder = await folders_for(operator, "asset:1", kind, folder / "build", pb.PURPOSE_BUILDER)
    began = time.monotonic()
    succeeded(await asyncio.to_thread(builder.package))
    succeeded(await asyncio.to_thread(builder.build))
    succeeded(await asyncio.to_thread(builder.store))
    size = (builder.work / "output.tar").stat().st_size
    print(f"{language}: built in {time.monotonic() - began:.1f} s, {size / 1e6:.1f} MB")
    row = (await operator.rows())["asset:1"]
    runtime = await folders_for(operator, "asset:1", kind, folder / "pod", pb.PURPOSE_RUNTIME)
    pods.append(runtime)
    fetched = await asyncio.to_thread(runtime.output, TREADLE_OUTPUT_SHA256=row.output.sha256)
    succeeded(fetched)
    if language == "python":
        runtime.bridge()
    runtime.start()
    return runtime


def succeeded(done: Done) -> None:
    assert done.code == 0, done.log
    assert not done.message


async def transfer(network: Network, *, expected: int) -> None:
    await network.channel.invoke("asset", ["transfer", "alice", "bob", "5"])
    answer = json.loads(await network.channel.evaluate("asset", ["query", "bob"]))
    assert int(answer["balance"]) == expected


async def said(runtime: PodFolders, text: str) -> None:
    log = runtime.folder / "chaincode.log"
    await asyncio.to_thread(wait_until, lambda: text in log.read_text(), within=20, what=text)


async def ends(runtime: PodFolders, peer: PeerProcess) -> None:
    """By the signal that ends a pod, at once."""
    for one in reversed(runtime.started):
        began = time.monotonic()
        os.kill(one.pid, signal.SIGTERM)
        assert await asyncio.to_thread(one.wait, within=10) == 0, one.text()
        assert time.monotonic() - began < 5
    async with Operator.of(peer) as operator:
        await operator.until("asset:1", pb.STATE_STARTING)
