"""A client whose deadline ends before a launch does is told how far it is; the launch goes on."""

from __future__ import annotations

import asyncio
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from harness.chaincodes import copy_sources
from harness.networks import Network, connected
from harness.runtimes import metrics
from treadle_fabric.client import Deployment, EndorsementFailed, deployment_args
from treadle_fabric.packages import language_number

if TYPE_CHECKING:
    from .conftest import PeerFactory

pytestmark = [pytest.mark.toolchain("node"), pytest.mark.timeout(300)]

# Waits until a file is there, as a build waits for a slow registry.
WAIT_FOR = "while(!require('fs').existsSync({file}))Atomics.wait({cell},0,0,50)"
CELL = "new Int32Array(new SharedArrayBuffer(4))"
DEPLOYMENT = Deployment(
    name="slow", version="1", args=(b"init",), path="slow", language_type=language_number("node")
)


def wait_for(file: Path) -> str:
    return WAIT_FOR.format(file=f"'{file}'", cell=CELL)


def slow_sources(folder: Path, *, built: Path, started: Path) -> Path:
    """The example, building until *built* exists and starting until *started* does."""
    copy_sources("node", folder)
    manifest = json.loads((folder / "package.json").read_text())
    manifest["scripts"]["preinstall"] = f'node -e "{wait_for(built)}"'
    (folder / "package.json").write_text(json.dumps(manifest))
    index = folder / "index.js"
    index.write_text(f"{wait_for(started)};\n{index.read_text()}")
    return folder


async def hurried(network: Network, seconds: float = 1.5) -> str:
    """What a client that waits *seconds* for an instantiation is told."""
    channel = network.channel
    proposal = channel.propose("lscc", deployment_args("deploy", channel.name, DEPLOYMENT))
    with pytest.raises(EndorsementFailed) as told:
        await channel.endorse(proposal, within=seconds)
    return str(told.value)


async def test_who_cannot_wait_is_told_and_the_next_request_joins(
    peer_process: PeerFactory, tmp_path: Path
) -> None:
    built, started = tmp_path / "built", tmp_path / "started"
    sources = slow_sources(tmp_path / "slow", built=built, started=started)
    peer = peer_process()
    async with connected(peer) as network:
        await network.install("slow", "node", folder=sources)
        first = await hurried(network)
        assert re.search(r"could not launch chaincode slow:1: still building \(1 s\); try", first)
        second = await hurried(network)
        assert re.search(r"still building \([2-9] s\); try again", second)

        built.touch()
        async with asyncio.timeout(120):
            while "still building" in (told := await hurried(network)):
                pass
        assert re.search(r"slow:1: still starting \(\d+ s\); try again", told)
        started.touch()
        await network.channel.instantiate(DEPLOYMENT)
        assert json.loads(await network.channel.evaluate("slow", ["version"]))["version"] == "1"
        found = metrics(peer.addresses["operations"])
    assert peer.process.text().count("Built chaincode slow:1") == 1
    assert found['chaincode_launch_duration_count{chaincode="slow:1",success="true"}'] == 1
    assert not any(sample.startswith("chaincode_launch_failures{") for sample in found)
    failures = 'chaincode_instantiation_failures{channel="mychannel",chaincode="slow"}'
    assert found[f"endorser_{failures}"] > 2


async def test_a_peer_that_stops_does_not_wait_for_a_build(
    peer_process: PeerFactory, tmp_path: Path
) -> None:
    sources = slow_sources(tmp_path / "slow", built=tmp_path / "never", started=tmp_path / "never")
    peer = peer_process()
    async with connected(peer) as network:
        await network.install("slow", "node", folder=sources)
        assert "still building" in await hurried(network)
        waiting = asyncio.create_task(hurried(network, 60))
        joined = asyncio.create_task(hurried(network, 60))
        await hurried(network, 1.5)  # the two before are in the peer, too
        async with asyncio.timeout(5):
            assert await asyncio.to_thread(peer.stop) == 0
        told = [await waiting, await joined]
    assert all("could not launch chaincode slow:1: the peer is stopping" in one for one in told)
