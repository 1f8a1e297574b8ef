"""Outputs of builds: streamed, checked, kept whole or not at all, never changed."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable

import grpc
import grpc.aio
import pytest
from harness.impostors import Papers
from harness.memory import MIB, PeakMemory
from harness.networks import connected
from harness.operators import Operator, artifacts, fetch_output, fetch_package, store_output
from harness.peers import PeerProcess
from harness.processes import wait_until
from treadle_fabric.packages import parse_legacy_package
from treadle_runtime.v1 import runtime_pb2 as pb
from treadle_runtime.v1.runtime_pb2_grpc import ArtifactsStub

pytestmark = pytest.mark.timeout(120)

LARGE_PIECES = 128  # of 1 MiB


@pytest.fixture
async def operator(shared_peer: PeerProcess) -> AsyncIterator[Operator]:
    async with Operator.of(shared_peer) as made:
        yield made


@pytest.fixture
async def required(shared_peer: PeerProcess, operator: Operator) -> Callable[..., object]:
    """Installs and requires a chaincode of that name; its ccid."""

    async def make(name: str) -> str:
        async with connected(shared_peer) as network:
            await network.install(name, "go")
        await operator.require(f"{name}:1")
        return f"{name}:1"

    return make


def output_files(peer: PeerProcess) -> set[str]:
    """What lies below the runtimes' folders, but for the records."""
    files = (peer.data / "chaincode" / "runtimes").rglob("*")
    return {one.name for one in files if one.is_file() and one.name != "runtime.json"}


async def parts(head: pb.Output | None, *data: bytes) -> AsyncIterator[pb.PutOutputRequest]:
    if head is not None:
        yield pb.PutOutputRequest(head=head)
    for piece in data:
        yield pb.PutOutputRequest(data=piece)


def head_of(content: bytes, size: int | None = None) -> pb.Output:
    digest = hashlib.sha256(content).hexdigest()
    return pb.Output(sha256=digest, size=len(content) if size is None else size)


WRONG = {
    "no head": (None, [b"abc"], grpc.StatusCode.INVALID_ARGUMENT, "begins with its head"),
    "a bad hash": (
        pb.Output(sha256="AB" * 32, size=3),
        [b"abc"],
        grpc.StatusCode.INVALID_ARGUMENT,
        "64 lower-case hex digits",
    ),
    "another hash": (
        head_of(b"abd"),
        [b"abc"],
        grpc.StatusCode.INVALID_ARGUMENT,
        "the SHA-256 of what came is ba7816bf",
    ),
    "too little": (
        head_of(b"abc"),
        [b"ab"],
        grpc.StatusCode.INVALID_ARGUMENT,
        "2 bytes came, not the 3 of the head",
    ),
    "too much": (
        head_of(b"abc"),
        [b"abc", b"d"],
        grpc.StatusCode.INVALID_ARGUMENT,
        "more came than the 3 bytes of the head",
    ),
    "too large a piece": (
        head_of(b"abc", MIB + 1),
        [bytes(MIB + 1)],
        grpc.StatusCode.INVALID_ARGUMENT,
        "data of at most 1048576 bytes",
    ),
    "too large a whole": (
        head_of(b"abc", 1 << 40),
        [b"abc"],
        grpc.StatusCode.RESOURCE_EXHAUSTED,
        "(treadle.runtime.maxOutputBytes)",
    ),
}


async def test_what_does_not_come_as_promised_is_not_stored(
    shared_peer: PeerProcess, operator: Operator, required: Callable[..., object]
) -> None:
    ccid = await required("wrong")
    issued, papers = await operator.issue(ccid, pb.PURPOSE_BUILDER)
    async with artifacts(issued.peer_address, papers.credentials()) as stub:
        for what, (head, data, code, sentence) in WRONG.items():
            with pytest.raises(grpc.aio.AioRpcError) as refused:
                await stub.PutOutput(parts(head, *data))
            assert refused.value.code() is code, what
            assert sentence in (refused.value.details() or ""), what
            assert not output_files(shared_peer), what
        row = (await operator.rows())[ccid]
        assert (row.state, row.HasField("output")) == (pb.STATE_REQUIRED, False)
        abandoned = stub.PutOutput(never_ending())
        await asyncio.to_thread(wait_until, lambda: output_files(shared_peer), within=10, what="it")
        abandoned.cancel()
        gone = lambda: not output_files(shared_peer)  # noqa: E731
        await asyncio.to_thread(wait_until, gone, within=10, what="the abandoned draft being gone")


async def never_ending() -> AsyncIterator[pb.PutOutputRequest]:
    yield pb.PutOutputRequest(head=head_of(b"abc"))
    yield pb.PutOutputRequest(data=b"a")
    await asyncio.Event().wait()


async def denied(call: Callable[[ArtifactsStub], object], stub: ArtifactsStub) -> str:
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await call(stub)
    assert refused.value.code() is grpc.StatusCode.PERMISSION_DENIED
    return refused.value.details() or ""


async def test_an_output_is_stored_once_survives_a_restart_and_ends_its_builders(
    make_peer: Callable[..., PeerProcess],
) -> None:
    peer = make_peer()
    async with connected(peer) as network:
        await network.install("asset", "go")
    async with Operator.of(peer) as operator:
        row = await operator.require("asset:1")
        issued, papers = await operator.issue("asset:1", pb.PURPOSE_BUILDER)
        _, second = await operator.issue("asset:1", pb.PURPOSE_BUILDER)
        async with artifacts(issued.peer_address, papers.credentials()) as stub:
            head, package = await fetch_package(stub)
            assert parse_legacy_package(package).name == "asset"
            assert (head.sha256, head.size) == (row.package_sha256, len(package))
            stored = await store_output(stub, b"binary")
        runtime = await check_ended(operator, issued.peer_address, papers, second)
    peer.kill()
    peer.start()
    async with Operator.of(peer) as operator:
        row = (await operator.rows())["asset:1"]
        assert (row.state, row.output) == (pb.STATE_STARTING, stored)
        async with artifacts(issued.peer_address, runtime.credentials()) as stub:
            assert await fetch_output(stub) == (stored, b"binary")
        async with artifacts(issued.peer_address, second.credentials()) as stub:
            assert "is stored; its builder's" in await denied(fetch_package, stub)


async def check_ended(operator: Operator, address: str, *builders: Papers) -> Papers:
    """The output is there for runtimes alone; the papers of one."""
    for papers in builders:
        async with artifacts(address, papers.credentials()) as stub:
            sentence = "the output of asset:1 is stored; its builder's certificates ended with that"
            assert await denied(fetch_package, stub) == sentence
            assert await denied(lambda to: store_output(to, b"other"), stub) == sentence
    with pytest.raises(grpc.aio.AioRpcError) as nothing_to_do:
        await operator.issue("asset:1", pb.PURPOSE_BUILDER)
    assert nothing_to_do.value.code() is grpc.StatusCode.FAILED_PRECONDITION
    return (await operator.issue("asset:1"))[1]


async def test_large_outputs_pass_through_without_being_held(
    shared_peer: PeerProcess, operator: Operator, required: Callable[..., object]
) -> None:
    ccid = await required("large")
    piece = hashlib.sha256(b"large").digest() * (MIB // 32)
    digest = hashlib.sha256()
    for _ in range(LARGE_PIECES):
        digest.update(piece)
    head = pb.Output(sha256=digest.hexdigest(), size=LARGE_PIECES * MIB)
    builder, builders = await operator.issue(ccid, pb.PURPOSE_BUILDER)
    _, runtimes = await operator.issue(ccid)
    with PeakMemory(shared_peer.process.pid) as memory:
        async with artifacts(builder.peer_address, builders.credentials()) as stub:
            await stub.PutOutput(parts(head, *[piece] * LARGE_PIECES))
        came = hashlib.sha256()
        async with artifacts(builder.peer_address, runtimes.credentials()) as stub:
            async for part in stub.GetOutput(pb.GetOutputRequest()):
                came.update(part.data)
    assert came.hexdigest() == head.sha256
    print(f"{LARGE_PIECES} MiB in and out: {memory.growth / MIB:.0f} MiB more at the peak")
    assert memory.growth < LARGE_PIECES * MIB / 4
