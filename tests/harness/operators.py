"""Plays the operator of a peer whose launcher is ``operator``: builds, pods, reports."""

from __future__ import annotations

import asyncio
import base64
import hashlib
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import grpc
import grpc.aio
from harness.impostors import Papers
from harness.peers import PeerProcess, unused_port
from harness.processes import Started
from treadle_runtime.v1 import runtime_pb2 as pb
from treadle_runtime.v1.runtime_pb2_grpc import ArtifactsStub, RuntimesStub

PIECE = 512 * 1024
DEVELOPER = "the developer"
TOLD_HOST = "127.0.0.77"  # in the launched listener's certificate only because it is configured

# As the start script in a pod: the shim ends when its peer goes, and is started again.
POD = """
while :; do
  "$0" -peer.address "$1" & pid=$!
  trap "kill $pid; exit" TERM
  wait
  sleep 0.1
done
"""


def operator_settings() -> dict[str, str]:
    """For a peer with the launcher ``operator``, on ports that outlast its restarts."""
    launched = unused_port()
    return {
        "CORE_TREADLE_CHAINCODE_LAUNCHER": "operator",
        "CORE_TREADLE_RUNTIME_LISTENADDRESS": f"127.0.0.1:{unused_port()}",
        "CORE_TREADLE_CHAINCODE_LAUNCHEDLISTENADDRESS": f"0.0.0.0:{launched}",
        "CORE_TREADLE_CHAINCODE_LAUNCHEDADDRESS": f"{TOLD_HOST}:{launched}",
    }


def operator_credentials(peer: PeerProcess) -> grpc.ChannelCredentials:
    """What the peer has made for its operator."""
    folder = peer.data / "operator" / "client"
    return grpc.ssl_channel_credentials(
        (folder / "ca.crt").read_bytes(),
        (folder / "client.key").read_bytes(),
        (folder / "client.crt").read_bytes(),
    )


@dataclass(frozen=True, kw_only=True)
class Operator:
    """One connection to the port 7055 of a peer."""

    stub: RuntimesStub
    folder: Path

    @classmethod
    @asynccontextmanager
    async def of(
        cls, peer: PeerProcess, options: Sequence[tuple[str, int]] = ()
    ) -> AsyncIterator[Self]:
        """An operator with the peer's own client certificate."""
        address, credentials = peer.addresses["runtime"], operator_credentials(peer)
        async with grpc.aio.secure_channel(address, credentials, options=options) as channel:
            yield cls(stub=RuntimesStub(channel), folder=peer.folder)

    async def require(self, ccid: str, *, execute_timeout: int | None = None) -> pb.Runtime:
        request = pb.RequireRuntimeRequest(ccid=ccid)
        if execute_timeout is not None:
            request.execute_timeout.FromSeconds(execute_timeout)
        return (await self.stub.RequireRuntime(request)).runtime

    async def release(self, ccid: str) -> None:
        await self.stub.ReleaseRuntime(pb.ReleaseRuntimeRequest(ccid=ccid))

    async def report(self, ccid: str, phase: pb.Phase, **more: object) -> pb.Runtime:
        request = pb.ReportRuntimeRequest(ccid=ccid, phase=phase, **more)  # type: ignore[arg-type]
        return (await self.stub.ReportRuntime(request)).runtime

    async def rows(self) -> dict[str, pb.Runtime]:
        listed = await self.stub.ListRuntimes(pb.ListRuntimesRequest())
        return {runtime.ccid: runtime for runtime in listed.runtimes}

    async def issue(
        self, ccid: str, purpose: pb.Purpose = pb.PURPOSE_RUNTIME
    ) -> tuple[pb.IssueCertificateResponse, Papers]:
        """A certificate, and its files as a pod's Secret holds them."""
        holder = DEVELOPER if purpose == pb.PURPOSE_DEVELOPMENT else ""
        request = pb.IssueCertificateRequest(ccid=ccid, purpose=purpose, holder=holder)
        issued = await self.stub.IssueCertificate(request)
        return issued, write_papers(self.folder / "papers" / issued.fingerprint[:16], issued)

    async def open(self, *ccids: str, start_line: str = "") -> None:
        """Open exactly these for development."""
        policies = [
            pb.DevelopmentPolicy(ccid=ccid, start_line=start_line, holders=[DEVELOPER])
            for ccid in ccids
        ]
        await self.stub.ApplyPolicies(pb.ApplyPoliciesRequest(development=policies))

    def watch(self) -> grpc.aio.UnaryStreamCall[pb.WatchRuntimesRequest, pb.WatchRuntimesResponse]:
        return self.stub.WatchRuntimes(pb.WatchRuntimesRequest())

    async def until(self, ccid: str, state: pb.State) -> pb.Runtime:
        """Watch until *ccid* is in *state*; TimeoutError when it does not come to that."""
        call = self.watch()
        try:
            async with asyncio.timeout(30):
                async for event in call:
                    if event.runtime.ccid == ccid and event.runtime.state == state:
                        return event.runtime
        finally:
            call.cancel()
        raise AssertionError(f"the watch ended before {ccid} was in state {state}")


def write_papers(folder: Path, issued: pb.IssueCertificateResponse) -> Papers:
    """The files that shims read; two of them hold base64 of the PEM."""
    folder.mkdir(parents=True)
    (folder / "client_pem.key").write_bytes(issued.private_key)
    (folder / "client_pem.crt").write_bytes(issued.certificate)
    (folder / "client.key").write_bytes(base64.b64encode(issued.private_key))
    (folder / "client.crt").write_bytes(base64.b64encode(issued.certificate))
    (folder / "peer.crt").write_bytes(issued.authority)
    return Papers(folder=folder)


@asynccontextmanager
async def artifacts(
    address: str, credentials: grpc.ChannelCredentials
) -> AsyncIterator[ArtifactsStub]:
    """The artefacts of whoever presents *credentials*."""
    async with grpc.aio.secure_channel(address, credentials) as channel:
        yield ArtifactsStub(channel)


async def fetch_package(stub: ArtifactsStub) -> tuple[pb.PackageHead, bytes]:
    parts = [part async for part in stub.GetPackage(pb.GetPackageRequest())]
    return parts[0].head, b"".join(part.data for part in parts[1:])


async def fetch_output(stub: ArtifactsStub) -> tuple[pb.Output, bytes]:
    parts = [part async for part in stub.GetOutput(pb.GetOutputRequest())]
    return parts[0].head, b"".join(part.data for part in parts[1:])


async def store_output(stub: ArtifactsStub, content: bytes) -> pb.Output:
    async def parts() -> AsyncIterator[pb.PutOutputRequest]:
        digest = hashlib.sha256(content).hexdigest()
        yield pb.PutOutputRequest(head=pb.Output(sha256=digest, size=len(content)))
        for start in range(0, len(content), PIECE):
            yield pb.PutOutputRequest(data=content[start : start + PIECE])

    return (await stub.PutOutput(parts())).output


async def build(operator: Operator, ccid: str, executable: Path) -> pb.PackageHead:
    """What a builder Job does; its result is *executable*. The head of the package it got."""
    await operator.report(ccid, pb.PHASE_BUILDING, message="builder pod runs")
    issued, papers = await operator.issue(ccid, pb.PURPOSE_BUILDER)
    async with artifacts(issued.peer_address, papers.credentials()) as stub:
        head, package = await fetch_package(stub)
        assert hashlib.sha256(package).hexdigest() == head.sha256
        await store_output(stub, await asyncio.to_thread(executable.read_bytes))
    return head


async def start_pod(operator: Operator, ccid: str) -> tuple[Started, Papers]:
    """What a Deployment does: fetch the output, check it, run it by the issued certificate."""
    issued, papers = await operator.issue(ccid)
    async with artifacts(issued.peer_address, papers.credentials()) as stub:
        head, content = await fetch_output(stub)
    assert hashlib.sha256(content).hexdigest() == head.sha256
    program = papers.folder / "chaincode"
    program.write_bytes(content)
    program.chmod(0o755)
    return run_pod(program, ccid, issued.peer_address, papers.environment()), papers


def run_pod(program: Path, ccid: str, address: str, settings: Mapping[str, str]) -> Started:
    """A pod without Kubernetes: the start script around the program."""
    return Started(
        ["sh", "-c", POD, str(program), address],
        output=program.with_suffix(".log"),
        environment={"PATH": "/usr/bin:/bin", "CORE_CHAINCODE_ID_NAME": ccid, **settings},
    )
