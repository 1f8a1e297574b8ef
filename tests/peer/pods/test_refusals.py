"""What a pod does not take: outputs and packages that are not what was promised, or no peer."""

from __future__ import annotations

import asyncio
import tarfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from harness.networks import connected
from harness.operators import Operator, artifacts, store_output
from harness.peers import PeerProcess
from harness.pods import PodFolders, folders_for, tar_of
from harness.processes import Started
from treadle_runtime.v1 import runtime_pb2 as pb

pytestmark = pytest.mark.timeout(120)


@pytest.fixture
async def operator(peer: PeerProcess) -> AsyncIterator[Operator]:
    """With asset:1 installed and required."""
    async with connected(peer) as network:
        await network.install("asset", "go")
    async with Operator.of(peer) as made:
        await made.require("asset:1")
        yield made


async def stored(operator: Operator, content: bytes, tmp_path: Path) -> PodFolders:
    """A pod of asset:1 whose output is *content*."""
    issued, papers = await operator.issue("asset:1", pb.PURPOSE_BUILDER)
    async with artifacts(issued.peer_address, papers.credentials()) as stub:
        await store_output(stub, content)
    return await folders_for(operator, "asset:1", "golang", tmp_path / "pod", pb.PURPOSE_RUNTIME)


async def test_another_output_than_the_pods_is_refused(operator: Operator, tmp_path: Path) -> None:
    pod = await stored(operator, tar_of(("chaincode", tarfile.REGTYPE, "x")), tmp_path)
    wrong = "ab" * 32
    done = await asyncio.to_thread(pod.output, TREADLE_OUTPUT_SHA256=wrong)
    assert done.code == 1
    assert done.message.startswith("the peer's output of asset:1 has SHA-256 ")
    assert done.message.endswith(f"but this pod was made for {wrong}")
    assert not list(pod.chaincode.iterdir())
    done = await asyncio.to_thread(pod.output)
    assert (done.code, done.message) == (0, "")
    assert (pod.chaincode / "output" / "chaincode").read_text() == "x"


async def test_an_output_that_was_changed_at_the_peer_is_refused(
    operator: Operator, peer: PeerProcess, tmp_path: Path
) -> None:
    pod = await stored(operator, tar_of(("chaincode", tarfile.REGTYPE, "x")), tmp_path)
    (file,) = (peer.data / "chaincode" / "runtimes").rglob("output")
    file.write_bytes(tar_of(("chaincode", tarfile.REGTYPE, "y")))
    done = await asyncio.to_thread(pod.output)
    assert done.code == 1
    assert "the output came with" in done.message
    assert not (pod.chaincode / "output").exists()


async def test_archives_that_a_build_of_strangers_made_are_refused(
    operator: Operator, tmp_path: Path
) -> None:
    pod = await stored(operator, b"no archive at all", tmp_path)
    done = await asyncio.to_thread(pod.output)
    assert done.code == 1
    assert "the output is no archive of ours" in done.message
    assert not (pod.chaincode / "output").exists()


async def test_a_builder_waits_for_a_peer_that_is_away_but_not_for_ever(
    operator: Operator, peer: PeerProcess, tmp_path: Path
) -> None:
    build = await folders_for(operator, "asset:1", "golang", tmp_path / "b", pb.PURPOSE_BUILDER)
    await asyncio.to_thread(peer.stop)
    line = ["package", "--work", str(build.work)]
    done = await asyncio.to_thread(build.run, build.pod(*line, patience=1))
    assert done.code == 1
    assert done.message.startswith("the peer could not be reached for 1 s: ")
    waiting = Started(
        build.pod(*line, patience=60),
        output=tmp_path / "waiting.log",
        environment=build.environment(),
    )
    try:
        await asyncio.to_thread(waiting.wait_for_text, "trying again", within=30)
        await asyncio.to_thread(peer.start)
        assert await asyncio.to_thread(waiting.wait, within=60) == 0, waiting.text()
    finally:
        waiting.stop()
    assert "/bin/go" not in (build.work / "build.sh").read_text()
    assert (build.work / "source" / "src" / "go.mod").exists()


async def test_a_runtimes_certificate_gets_no_package_and_a_missing_key_is_named(
    operator: Operator, tmp_path: Path
) -> None:
    pod = await folders_for(operator, "asset:1", "python", tmp_path / "pod", pb.PURPOSE_RUNTIME)
    done = await asyncio.to_thread(pod.package)
    assert done.code == 1
    assert done.message == ("the peer refused: this is a certificate for a runtime, not a builder")
    (pod.certificate / "client.key").unlink()
    done = await asyncio.to_thread(pod.output)
    assert done.code == 1
    assert "client.key: No such file or directory" in done.message
