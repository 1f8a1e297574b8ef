"""Single chaincodes opened for development: who registers with what, and for how long."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta

import grpc
import grpc.aio
import pytest
from harness.impostors import Papers, dialled
from harness.networks import connected
from harness.operators import (
    DEVELOPER,
    Operator,
    artifacts,
    fetch_output,
    fetch_package,
    write_papers,
)
from harness.peers import PeerProcess
from harness.registering import registered
from harness.runtimes import wait_for_runtime
from treadle_fabric.client import EndorsementFailed
from treadle_runtime.v1 import runtime_pb2 as pb
from treadle_runtime.v1.runtime_pb2_grpc import RuntimesStub

pytestmark = pytest.mark.timeout(120)

DEVELOPMENT = pb.PURPOSE_DEVELOPMENT
Metadata = tuple[tuple[str, str], ...]
ANNE: Metadata = (("treadle-who", "anne@laptop"), ("treadle-take", "false"))
BERT: Metadata = (("treadle-who", "bert@desk"), ("treadle-take", "false"))


@pytest.fixture
async def operator(shared_peer: PeerProcess) -> AsyncIterator[Operator]:
    async with Operator.of(shared_peer) as made:
        await made.open()
        await installed(shared_peer, "real", "other")
        yield made
        await made.open()


async def installed(peer: PeerProcess, *names: str) -> None:
    async with Operator.of(peer) as operator, connected(peer) as network:
        rows = await operator.rows()
        for name in names:
            if f"{name}:1" not in rows:
                await network.install(name, "go")
                await operator.require(f"{name}:1")


async def developers(operator: Operator) -> dict[str, pb.Development]:
    listed = await operator.stub.ListRuntimes(pb.ListRuntimesRequest())
    return {row.ccid: row for row in listed.developments}


@asynccontextmanager
async def developing(
    peer: PeerProcess, ccid: str, papers: Papers, metadata: Metadata = ()
) -> AsyncIterator[grpc.aio.StreamStreamCall[object, object]]:
    address = peer.addresses["chaincode"]
    async with registered(address, ccid, papers.credentials(), metadata) as stream:
        yield stream


async def refused(
    peer: PeerProcess, ccid: str, papers: Papers, metadata: Metadata = ()
) -> tuple[grpc.StatusCode, str]:
    return await asyncio.to_thread(
        dialled, peer.addresses["chaincode"], ccid, papers.credentials(), metadata
    )


async def test_a_developer_registers_with_tls_beside_what_the_operator_runs(
    shared_peer: PeerProcess, operator: Operator
) -> None:
    issued, pod = await operator.issue("real:1")
    _, other_pod = await operator.issue("other:1")
    async with (
        registered(issued.peer_address, "real:1", pod.credentials()) as managed,
        registered(issued.peer_address, "other:1", other_pod.credentials()) as other,
    ):
        await operator.open("real:1")
        assert await managed.code() is grpc.StatusCode.PERMISSION_DENIED
        assert await managed.details() == "chaincode real:1 is now in development mode"
        code, sentence = await asyncio.to_thread(
            dialled, issued.peer_address, "real:1", pod.credentials()
        )
        assert code is grpc.StatusCode.PERMISSION_DENIED
        assert "is in development mode: a developer runs it, and not a runtime" in sentence
        answer, papers = await operator.issue("real:1", DEVELOPMENT)
        assert answer.peer_address == shared_peer.addresses["chaincode"]
        left = answer.not_after.ToDatetime(UTC) - datetime.now(UTC)
        assert timedelta(hours=23, minutes=55) < left < timedelta(hours=24, minutes=5)
        async with developing(shared_peer, "real:1", papers, ANNE) as stream:
            row = (await developers(operator))["real:1"]
            assert (row.connected, row.developer) == (True, "anne@laptop")
            shown = wait_for_runtime(shared_peer.addresses["operations"], "real:1")
            assert (shown["owner"], shown["developer"]) == ("development", "anne@laptop")
            await operator.open()
            assert await stream.details() == "chaincode real:1 is now in production mode"
        assert not other.done()
        assert (await operator.rows())["other:1"].instances == 1


async def test_without_a_developer_clients_are_told_how_to_start_one(
    shared_peer: PeerProcess, operator: Operator
) -> None:
    line = "treadle dev connect real -n trade -- <command>"
    await operator.open("real:1", start_line=line)
    async with connected(shared_peer) as network:
        with pytest.raises(EndorsementFailed) as failed:
            await network.instantiate("real", "go")
    assert "no chaincode process is connected; start yours with: " + line in str(failed.value)


async def test_a_certificate_opens_one_chaincode_and_nothing_else(
    shared_peer: PeerProcess, operator: Operator
) -> None:
    await operator.open("real:1", "other:1")
    _, papers = await operator.issue("real:1", DEVELOPMENT)
    code, sentence = await refused(shared_peer, "other:1", papers)
    assert code is grpc.StatusCode.PERMISSION_DENIED
    assert sentence == (
        "chaincode other:1 did not present its own development certificate: this one is for "
        "chaincode real:1"
    )
    await operator.open("real:1")
    code, sentence = await refused(shared_peer, "other:1", papers)
    assert code is grpc.StatusCode.PERMISSION_DENIED
    assert "it is the development certificate of real:1" in sentence
    _, pod = await operator.issue("other:1")
    code, sentence = await refused(shared_peer, "real:1", pod)
    assert code is grpc.StatusCode.PERMISSION_DENIED
    assert "a developer runs it" in sentence
    launched = shared_peer.environment["CORE_TREADLE_CHAINCODE_LAUNCHEDADDRESS"]
    async with artifacts(launched, papers.credentials()) as stub:
        for call in (fetch_package, fetch_output):
            with pytest.raises(grpc.aio.AioRpcError) as denied:
                await call(stub)
            assert denied.value.code() is grpc.StatusCode.PERMISSION_DENIED
            assert "this is a certificate for a development" in (denied.value.details() or "")
    await operators_port_is_closed(shared_peer, papers)


async def operators_port_is_closed(peer: PeerProcess, papers: Papers) -> None:
    """It trusts another authority, so it is the handshake that refuses."""
    folder = peer.data / "operator" / "client"
    credentials = grpc.ssl_channel_credentials(
        (folder / "ca.crt").read_bytes(),
        (papers.folder / "client_pem.key").read_bytes(),
        (papers.folder / "client_pem.crt").read_bytes(),
    )
    async with grpc.aio.secure_channel(peer.addresses["runtime"], credentials) as channel:
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await RuntimesStub(channel).ListRuntimes(pb.ListRuntimesRequest())
    assert refused.value.code() is grpc.StatusCode.UNAVAILABLE


async def test_what_closes_kills_its_certificates_for_ever(
    shared_peer: PeerProcess, operator: Operator
) -> None:
    await operator.open("real:1", "other:1")
    _, old = await operator.issue("real:1", DEVELOPMENT)
    await operator.open("other:1")
    code, sentence = await refused(shared_peer, "real:1", old)
    assert code is grpc.StatusCode.PERMISSION_DENIED
    assert "it is the development certificate of real:1, and retired" in sentence
    await operator.open("real:1")
    code, sentence = await refused(shared_peer, "real:1", old)
    assert code is grpc.StatusCode.PERMISSION_DENIED
    assert "presented a development certificate that is retired" in sentence
    with pytest.raises(grpc.aio.AioRpcError) as unknown:
        await operator.issue("other:1", DEVELOPMENT)
    assert unknown.value.code() is grpc.StatusCode.NOT_FOUND
    assert unknown.value.details() == "chaincode other:1 is not open for development"


async def test_a_retired_certificate_ends_its_stream(
    shared_peer: PeerProcess, operator: Operator
) -> None:
    await operator.open("real:1")
    issued, papers = await operator.issue("real:1", DEVELOPMENT)
    async with developing(shared_peer, "real:1", papers) as stream:
        request = pb.RetireCertificateRequest(fingerprint=issued.fingerprint)
        await operator.stub.RetireCertificate(request)
        assert await stream.details() == "its certificate is retired"


async def test_a_stream_lasts_no_longer_than_its_certificate(
    shared_peer: PeerProcess, operator: Operator
) -> None:
    await operator.open("real:1")
    request = pb.IssueCertificateRequest(ccid="real:1", purpose=DEVELOPMENT, holder=DEVELOPER)
    request.lifetime.FromSeconds(3)
    issued = await operator.stub.IssueCertificate(request)
    papers = write_papers(shared_peer.folder / "short", issued)
    async with developing(shared_peer, "real:1", papers) as stream:
        assert await stream.code() is grpc.StatusCode.UNAVAILABLE
        assert "certificate of this stream has ended" in (await stream.details() or "")


async def test_two_developers_do_not_fight(shared_peer: PeerProcess, operator: Operator) -> None:
    await operator.open("real:1")
    _, papers = await operator.issue("real:1", DEVELOPMENT)
    async with AsyncExitStack() as stack:

        async def comes(metadata: Metadata) -> grpc.aio.StreamStreamCall[object, object]:
            arriving = developing(shared_peer, "real:1", papers, metadata)
            return await stack.enter_async_context(arriving)

        first = await comes(ANNE)
        second = await comes(BERT)
        assert await first.code() is grpc.StatusCode.ABORTED
        assert (await first.details() or "").startswith("replaced by bert@desk at 2")
        code, sentence = await refused(shared_peer, "real:1", papers, ANNE)
        assert code is grpc.StatusCode.ABORTED
        assert sentence.startswith("replaced by bert@desk at 2")
        await comes(BERT)  # the same tool comes back by itself
        assert await second.code() is grpc.StatusCode.ABORTED
        back = await comes((ANNE[0], ("treadle-take", "true")))
        _, sentence = await refused(shared_peer, "real:1", papers, BERT)
        assert sentence.startswith("replaced by anne@laptop at 2")
        await comes(())  # a shim of Fabric says nothing
        assert (await back.details() or "").startswith("replaced by 127.0.0.1:")


async def test_the_watch_tells_what_is_open_and_who_is_connected(
    shared_peer: PeerProcess, operator: Operator
) -> None:
    await operator.open("real:1")
    _, papers = await operator.issue("real:1", DEVELOPMENT)
    watch = operator.watch()
    first = [await watch.read()]
    while first[-1].WhichOneof("event") != "synced":
        first.append(await watch.read())
    assert "real:1" not in [event.runtime.ccid for event in first]
    (told,) = [event.development for event in first if event.HasField("development")]
    assert (told.ccid, told.open, told.connected) == ("real:1", True, False)

    async def next_development() -> pb.Development:
        while not (event := await watch.read()).HasField("development"):
            pass
        return event.development

    async with developing(shared_peer, "real:1", papers, BERT):
        told = await next_development()
        assert (told.connected, told.developer) == (True, "bert@desk")
    told = await next_development()
    assert (told.open, told.connected, told.developer) == (True, False, "")
    await operator.open()
    events = [await watch.read(), await watch.read()]
    assert sorted(str(event.WhichOneof("event")) for event in events) == ["development", "runtime"]
    (closed,) = [event.development for event in events if event.HasField("development")]
    assert (closed.ccid, closed.open) == ("real:1", False)
    watch.cancel()


@pytest.mark.long
async def test_what_is_open_outlives_the_operator_and_the_peer(
    make_peer: Callable[..., PeerProcess],
) -> None:
    peer = make_peer()
    await installed(peer, "real", "gone")
    async with Operator.of(peer) as operator:
        await operator.open("real:1", "gone:1")
        _, papers = await operator.issue("real:1", DEVELOPMENT)
        _, gone = await operator.issue("gone:1", DEVELOPMENT)
    await asyncio.to_thread(restarted, peer)
    async with developing(peer, "real:1", papers) as stream:
        async with developing(peer, "gone:1", gone) as closing, Operator.of(peer) as operator:
            await operator.open("real:1")
            assert await closing.code() is grpc.StatusCode.PERMISSION_DENIED
        assert not stream.done()
    peer.environment = {**peer.environment, "CORE_TREADLE_CHAINCODE_ALLOWDEVELOPMENT": "false"}
    await asyncio.to_thread(restarted, peer)
    for ccid, shown in (("gone:1", gone), ("real:1", papers)):
        code, _ = await refused(peer, ccid, shown)
        assert code is grpc.StatusCode.PERMISSION_DENIED, ccid
    async with Operator.of(peer) as operator:
        with pytest.raises(grpc.aio.AioRpcError) as denied:
            await operator.open("real:1")
        await operator.open()
    assert denied.value.code() is grpc.StatusCode.FAILED_PRECONDITION
    assert "treadle.chaincode.allowDevelopment is false" in (denied.value.details() or "")


def restarted(peer: PeerProcess) -> None:
    assert peer.stop() == 0
    peer.start()
