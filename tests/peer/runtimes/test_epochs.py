"""A leader that was followed by another does nothing late: real calls to a real peer."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import grpc
import grpc.aio
import pytest
from harness.operators import operator_credentials
from harness.peers import PeerProcess
from treadle_fabric.identity import CertificateAuthority
from treadle_peer.chaincode.runtimes import Epochs, Superseded, Term
from treadle_peer.storage import StorageError
from treadle_runtime.v1 import runtime_pb2 as pb
from treadle_runtime.v1.runtime_pb2_grpc import RuntimesStub

pytestmark = pytest.mark.timeout(120)

LATE = "operator has acted in epoch {}, and this call is of {} (metadata treadle-epoch)"


@asynccontextmanager
async def dialling(
    peer: PeerProcess, credentials: grpc.ChannelCredentials | None = None
) -> AsyncIterator[RuntimesStub]:
    address = peer.addresses["runtime"]
    async with grpc.aio.secure_channel(
        address, credentials or operator_credentials(peer)
    ) as channel:
        yield RuntimesStub(channel)


def told(epoch: str | int) -> tuple[tuple[str, str], ...]:
    return (("treadle-epoch", str(epoch)),)


async def listed(stub: RuntimesStub, epoch: str | int | None = None) -> str:
    """Empty for an answer, else code and sentence of the refusal."""
    try:
        metadata = () if epoch is None else told(epoch)
        await stub.ListRuntimes(pb.ListRuntimesRequest(), metadata=metadata)
    except grpc.aio.AioRpcError as error:
        return f"{error.code().name}: {error.details()}"
    return ""


async def test_every_call_of_an_earlier_leader_is_refused_also_after_a_restart(
    make_peer: Callable[..., PeerProcess],
) -> None:
    peer = await asyncio.to_thread(make_peer)
    async with dialling(peer) as stub:
        assert await listed(stub) == ""
        assert await listed(stub, 7) == ""
        assert await listed(stub, 7) == ""
        for late, name in ((6, "epoch 6"), (None, "no epoch"), (0, "no epoch")):
            refusal = await listed(stub, late)
            assert refusal.startswith("FAILED_PRECONDITION: another operator leads: ")
            assert refusal.endswith(LATE.format(7, name))
        calls = (
            (stub.RequireRuntime, pb.RequireRuntimeRequest(ccid="a:1")),
            (stub.ReleaseRuntime, pb.ReleaseRuntimeRequest(ccid="a:1")),
            (stub.ReportRuntime, pb.ReportRuntimeRequest(ccid="a:1")),
            (stub.IssueCertificate, pb.IssueCertificateRequest(ccid="a:1")),
            (stub.RetireCertificate, pb.RetireCertificateRequest(fingerprint="00")),
        )
        for call, request in calls:
            with pytest.raises(grpc.aio.AioRpcError) as refused:
                await call(request, metadata=told(6))
            assert refused.value.code() is grpc.StatusCode.FAILED_PRECONDITION
        late_watch = stub.WatchRuntimes(pb.WatchRuntimesRequest(), metadata=told(6))
        assert await late_watch.code() is grpc.StatusCode.FAILED_PRECONDITION
    await asyncio.to_thread(peer.kill)
    await asyncio.to_thread(peer.start)
    async with dialling(peer) as stub:
        assert "FAILED_PRECONDITION" in await listed(stub, 6)
        assert await listed(stub, 8) == ""


async def test_the_watch_of_an_earlier_leader_ends_when_a_later_one_calls(
    make_peer: Callable[..., PeerProcess],
) -> None:
    peer = await asyncio.to_thread(make_peer)
    async with dialling(peer) as first, dialling(peer) as second:
        early = first.WatchRuntimes(pb.WatchRuntimesRequest(), metadata=told(1))
        assert (await early.read()).HasField("synced")
        later = second.WatchRuntimes(pb.WatchRuntimesRequest(), metadata=told(2))
        assert (await later.read()).HasField("synced")
        # gRPC tells no status before everything that came ahead of it has been read.
        async with asyncio.timeout(20):
            with pytest.raises(grpc.aio.AioRpcError):
                await early.read()
        assert await early.code() is grpc.StatusCode.FAILED_PRECONDITION
        assert (await early.details()).endswith(LATE.format(2, "epoch 1"))
        same = first.WatchRuntimes(pb.WatchRuntimesRequest(), metadata=told(2))
        assert (await same.read()).HasField("synced")
        assert not later.done(), "its own term has not ended"
        for call in (later, same):
            call.cancel()


async def test_operators_of_other_names_have_terms_of_their_own(
    make_peer: Callable[..., PeerProcess],
) -> None:
    peer = await asyncio.to_thread(make_peer)
    folder = peer.data / "operator"
    own = CertificateAuthority.from_pem(
        (folder / "ca.pem").read_bytes(), (folder / "ca.key").read_bytes()
    )
    other = own.issue(common_name="other", organizational_units=("treadle-operator",), client=True)
    roots = (folder / "client" / "ca.crt").read_bytes()
    credentials = grpc.ssl_channel_credentials(roots, other.key_pem, other.certificate_pem)
    async with dialling(peer) as stub, dialling(peer, credentials) as foreign:
        assert await listed(stub, 9) == ""
        assert await listed(foreign, 3) == ""
        assert "FAILED_PRECONDITION" in await listed(stub, 8)
        assert await listed(foreign, 3) == ""


@pytest.mark.parametrize("epoch", ["x", "-1", "1.5", "9223372036854775808", "0" * 5000])
async def test_what_is_no_epoch_is_refused(epoch: str, shared_peer: PeerProcess) -> None:
    async with dialling(shared_peer) as stub:
        assert (await listed(stub, epoch)).startswith("INVALID_ARGUMENT: treadle-epoch is a number")


def test_a_term_is_on_disk_before_it_counts(tmp_path: Path) -> None:
    file = tmp_path / "epochs.json"
    epochs, ended = Epochs(file), list[str]()
    epochs.enter(Term("a", 4))
    epochs.hold(Term("a", 4), ended.append)
    file.unlink()
    file.mkdir()  # nothing can be written there any more
    with pytest.raises(OSError, match="epochs"):
        epochs.enter(Term("a", 5))
    epochs.enter(Term("a", 4))
    assert not ended


def test_only_what_is_held_in_an_earlier_term_of_the_same_operator_ends(tmp_path: Path) -> None:
    epochs, ended = Epochs(tmp_path / "epochs.json"), list[str]()
    epochs.enter(Term("a", 4))
    forget = epochs.hold(Term("a", 4), lambda sentence: ended.append("forgotten"))
    epochs.hold(Term("a", 4), lambda sentence: ended.append("held"))
    epochs.hold(Term("b", 1), lambda sentence: ended.append("other"))
    epochs.hold(Term("a", 5), lambda sentence: ended.append("present"))
    forget()
    epochs.enter(Term("a", 5))
    assert ended == ["held"]
    with pytest.raises(Superseded, match="epoch 5"):
        epochs.enter(Term("a", 4))


@pytest.mark.parametrize("content", ["", "[]", '{"a": "x"}', "{"])
def test_a_damaged_file_is_no_beginning(content: str, tmp_path: Path) -> None:
    file = tmp_path / "epochs.json"
    file.write_text(content)
    with pytest.raises(StorageError, match="damaged"):
        Epochs(file)
    file.write_text(json.dumps({"a": 3}))
    with pytest.raises(Superseded):
        Epochs(file).enter(Term("a", 2))
