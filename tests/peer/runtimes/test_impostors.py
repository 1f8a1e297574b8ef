"""Who holds the wrong certificate, or the right one at the wrong place, gets nowhere."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import grpc
import grpc.aio
import pytest
from harness.impostors import Papers, dialled
from harness.networks import connected
from harness.operators import (
    Operator,
    artifacts,
    fetch_output,
    fetch_package,
    store_output,
)
from harness.peers import PeerProcess
from harness.registering import registered
from treadle_fabric.identity import CertificateAuthority, IssuedCertificate
from treadle_runtime.v1 import runtime_pb2 as pb
from treadle_runtime.v1.runtime_pb2_grpc import RuntimesStub

pytestmark = pytest.mark.timeout(60)

REFUSED = "peer will not accept external chaincode connection {} (except in dev mode)"


@pytest.fixture
async def operator(shared_peer: PeerProcess) -> AsyncIterator[Operator]:
    async with Operator.of(shared_peer) as made:
        rows = await made.rows()
        async with connected(shared_peer) as network:
            for name in ("real", "other"):
                if f"{name}:1" not in rows:
                    await network.install(name, "go")
                    await made.require(f"{name}:1")
        yield made


@pytest.fixture
async def real(operator: Operator) -> AsyncIterator[Papers]:
    """The papers of ``real:1``, whose process is registered; it must still be afterwards."""
    issued, papers = await operator.issue("real:1")
    async with registered(issued.peer_address, "real:1", papers.credentials()) as stream:
        yield papers
        assert not stream.done()
        assert (await operator.rows())["real:1"].instances == 1
    await operator.stub.RetireCertificate(
        pb.RetireCertificateRequest(fingerprint=issued.fingerprint)
    )


async def attempt(
    peer: PeerProcess, ccid: str, credentials: grpc.ChannelCredentials
) -> tuple[grpc.StatusCode, str]:
    address = peer.environment["CORE_TREADLE_CHAINCODE_LAUNCHEDADDRESS"]
    return await asyncio.to_thread(dialled, address, ccid, credentials)


def presenting(roots: bytes, issued: IssuedCertificate | None) -> grpc.ChannelCredentials:
    if issued is None:
        return grpc.ssl_channel_credentials(roots)
    return grpc.ssl_channel_credentials(roots, issued.key_pem, issued.certificate_pem)


def foreign(unit: str = "real:1") -> IssuedCertificate:
    authority = CertificateAuthority.create(common_name="foreign", organization="Treadle chaincode")
    return authority.issue(common_name="runtime", organizational_units=(unit,), client=True)


@pytest.mark.parametrize("shown", [None, foreign()], ids=["no certificate", "foreign authority"])
async def test_no_handshake_without_a_certificate_of_the_chaincode_authority(
    shown: IssuedCertificate | None, shared_peer: PeerProcess, real: Papers
) -> None:
    roots = (real.folder / "peer.crt").read_bytes()
    code, _ = await attempt(shared_peer, "real:1", presenting(roots, shown))
    assert code is grpc.StatusCode.UNAVAILABLE


@pytest.mark.parametrize(
    ("ccid", "purpose", "reason"),
    [
        ("other:1", pb.PURPOSE_RUNTIME, "belongs to a different chaincode (other:1)"),
        ("real:1", pb.PURPOSE_BUILDER, "it is a builder's certificate"),
    ],
)
async def test_a_certificate_for_something_else_does_not_register(
    ccid: str,
    purpose: pb.Purpose,
    reason: str,
    shared_peer: PeerProcess,
    operator: Operator,
    real: Papers,
) -> None:
    _, papers = await operator.issue(ccid, purpose)
    code, sentence = await attempt(shared_peer, "real:1", papers.credentials())
    assert code is grpc.StatusCode.PERMISSION_DENIED
    assert REFUSED.format("real:1") in sentence
    assert reason in sentence


async def test_the_right_certificate_in_a_foreign_pod_does_not_register(
    shared_peer: PeerProcess, operator: Operator, real: Papers
) -> None:
    await operator.report("other:1", pb.PHASE_STARTING, pod_addresses=["127.0.0.9"])
    _, papers = await operator.issue("other:1")
    code, sentence = await attempt(shared_peer, "other:1", papers.credentials())
    assert code is grpc.StatusCode.PERMISSION_DENIED
    assert "is not the address of a pod that the operator reported" in sentence
    issued, papers = await operator.issue("other:1")
    await operator.report("other:1", pb.PHASE_STARTING, pod_addresses=["127.0.0.1"])
    async with registered(issued.peer_address, "other:1", papers.credentials()):
        assert (await operator.rows())["other:1"].state == pb.STATE_REGISTERED


async def test_a_retired_certificate_ends_its_streams_and_is_refused_at_once(
    shared_peer: PeerProcess, operator: Operator, real: Papers
) -> None:
    await operator.report("other:1", pb.PHASE_STARTING, pod_addresses=["127.0.0.1"])
    issued, papers = await operator.issue("other:1")
    async with registered(issued.peer_address, "other:1", papers.credentials()) as stream:
        request = pb.RetireCertificateRequest(fingerprint=issued.fingerprint)
        await operator.stub.RetireCertificate(request)
        assert await stream.code() is grpc.StatusCode.PERMISSION_DENIED
        assert await stream.details() == "its certificate is retired"
    code, sentence = await attempt(shared_peer, "other:1", papers.credentials())
    assert code is grpc.StatusCode.PERMISSION_DENIED
    assert "its launch has ended and its certificate is retired" in sentence


async def listing(peer: PeerProcess, credentials: grpc.ChannelCredentials) -> grpc.aio.AioRpcError:
    address = peer.addresses["runtime"]
    async with grpc.aio.secure_channel(address, credentials) as channel:
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await RuntimesStub(channel).ListRuntimes(pb.ListRuntimesRequest())
        return refused.value


async def test_only_an_operator_may_call_the_operators_port(
    shared_peer: PeerProcess, operator: Operator, real: Papers
) -> None:
    folder = shared_peer.data / "operator"
    roots = (folder / "client" / "ca.crt").read_bytes()
    own = CertificateAuthority.from_pem(
        (folder / "ca.pem").read_bytes(), (folder / "ca.key").read_bytes()
    )
    runtime = grpc.ssl_channel_credentials(
        roots,
        (real.folder / "client_pem.key").read_bytes(),
        (real.folder / "client_pem.crt").read_bytes(),
    )
    for credentials in (
        runtime,
        presenting(roots, None),
        presenting(roots, foreign("treadle-operator")),
    ):
        assert (await listing(shared_peer, credentials)).code() is grpc.StatusCode.UNAVAILABLE
    member = own.issue(common_name="x", organizational_units=("client",), client=True)
    refused = await listing(shared_peer, presenting(roots, member))
    assert refused.code() is grpc.StatusCode.PERMISSION_DENIED
    assert "the client certificate needs OU=treadle-operator" in (refused.details() or "")
    async with grpc.aio.secure_channel(
        shared_peer.addresses["runtime"], presenting(roots, member)
    ) as channel:
        watch = RuntimesStub(channel).WatchRuntimes(pb.WatchRuntimesRequest())
        assert await watch.code() is grpc.StatusCode.PERMISSION_DENIED


async def test_artefacts_are_for_the_holder_of_the_right_kind_of_certificate(
    shared_peer: PeerProcess, operator: Operator, real: Papers
) -> None:
    issued, builder = await operator.issue("real:1", pb.PURPOSE_BUILDER)
    development = shared_peer.data / "chaincode" / "authority"
    stranger = CertificateAuthority.from_pem(
        (development / "ca.pem").read_bytes(), (development / "ca.key").read_bytes()
    ).issue(common_name="x", organizational_units=("real:1",), client=True)
    cases = [
        (builder.credentials(), fetch_output, "for a builder, not a runtime"),
        (real.credentials(), fetch_package, "for a runtime, not a builder"),
        (real.credentials(), lambda stub: store_output(stub, b"x"), "for a runtime, not a builder"),
        (presenting(issued.authority, stranger), fetch_output, "not issued by IssueCertificate"),
    ]
    for credentials, call, reason in cases:
        async with artifacts(issued.peer_address, credentials) as stub:
            with pytest.raises(grpc.aio.AioRpcError) as refused:
                await call(stub)
        assert refused.value.code() is grpc.StatusCode.PERMISSION_DENIED
        assert reason in (refused.value.details() or "")


async def test_the_chaincode_port_serves_no_operator(
    shared_peer: PeerProcess, operator: Operator, real: Papers
) -> None:
    address = shared_peer.environment["CORE_TREADLE_CHAINCODE_LAUNCHEDADDRESS"]
    async with grpc.aio.secure_channel(address, real.credentials()) as channel:
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await RuntimesStub(channel).ListRuntimes(pb.ListRuntimesRequest())
    assert refused.value.code() is grpc.StatusCode.UNIMPLEMENTED
