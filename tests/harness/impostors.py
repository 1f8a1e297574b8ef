"""What an impostor may present to a peer, and how it dials."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

import grpc
import pytest
from fabric_protos.peer.chaincode_pb2 import ChaincodeID
from fabric_protos.peer.chaincode_shim_pb2 import ChaincodeMessage
from harness.chaincodes import built
from harness.launched import launched_groups, launched_processes
from harness.processes import Started
from harness.production import Production
from treadle_fabric.identity import CertificateAuthority, IssuedCertificate
from treadle_peer.chaincode.authority import ChaincodeAuthority
from treadle_peer.chaincode.launch import sockets


@dataclass(frozen=True, kw_only=True)
class Papers:
    """What a process can present: the files that a launch gets."""

    folder: Path

    def environment(self) -> dict[str, str]:
        return {
            "CORE_PEER_TLS_ENABLED": "true",
            "CORE_TLS_CLIENT_KEY_PATH": str(self.folder / "client.key"),
            "CORE_TLS_CLIENT_CERT_PATH": str(self.folder / "client.crt"),
            "CORE_TLS_CLIENT_KEY_FILE": str(self.folder / "client_pem.key"),
            "CORE_TLS_CLIENT_CERT_FILE": str(self.folder / "client_pem.crt"),
            "CORE_PEER_TLS_ROOTCERT_FILE": str(self.folder / "peer.crt"),
        }

    def credentials(self) -> grpc.ChannelCredentials:
        return grpc.ssl_channel_credentials(
            (self.folder / "peer.crt").read_bytes(),
            (self.folder / "client_pem.key").read_bytes(),
            (self.folder / "client_pem.crt").read_bytes(),
        )


def papers_of(production: Production, ccid: str, target: Path) -> Papers:
    """A copy of what the running launch of *ccid* was given."""
    (group,) = launched_groups(production.peer.data, ccid)
    entries = Path(f"/proc/{group}/environ").read_bytes().decode().split("\0")
    told = dict(entry.split("=", 1) for entry in entries if "=" in entry)
    shutil.copytree(Path(told["CORE_TLS_CLIENT_KEY_PATH"]).parent, target)
    return Papers(folder=target)


def made_papers(production: Production, issued: IssuedCertificate, target: Path) -> Papers:
    """Papers with a certificate of the test's own."""
    authority = ChaincodeAuthority.open(production.peer.data / "chaincode" / "authority")
    target.mkdir()
    authority.write_files(target, issued)
    return Papers(folder=target)


def private_port(production: Production) -> str:
    """Where the process of ``real:1`` is connected to the peer."""
    (process,) = [
        one for one in launched_processes(production.peer.data, "real:1") if one.command != "sh"
    ]
    held = sockets.held_inodes([process.pid])
    (connection,) = [one for one in sockets.all_sockets() if one.inode in held]
    assert connection.remote.address.is_loopback
    return f"{connection.remote.address}:{connection.remote.port}"


def real_shim(address: str, ccid: str, output: Path, environment: dict[str, str]) -> str:
    """Run the Go example as *ccid* until it gives up; what it printed."""
    impostor = Started(
        [str(built("go") / "chaincode"), "-peer.address", address],
        output=output,
        environment=os.environ | {"CORE_CHAINCODE_ID_NAME": ccid} | environment,
    )
    try:
        assert impostor.wait(within=30) != 0
    finally:
        impostor.stop()
    return impostor.text()


def dialled(
    address: str,
    ccid: str,
    credentials: grpc.ChannelCredentials | None,
    metadata: tuple[tuple[str, str], ...] = (),
) -> tuple[grpc.StatusCode, str]:
    """Register by plain gRPC; the status that the stream ends with."""
    register = ChaincodeMessage(
        type=ChaincodeMessage.REGISTER,
        payload=ChaincodeID(name=ccid).SerializeToString(),
    )
    with (
        grpc.insecure_channel(address)
        if credentials is None
        else grpc.secure_channel(address, credentials)
    ) as channel:
        stream = channel.stream_stream(
            "/protos.ChaincodeSupport/Register",
            ChaincodeMessage.SerializeToString,
            ChaincodeMessage.FromString,
        )(iter([register]), timeout=30, metadata=metadata)
        with pytest.raises(grpc.RpcError) as refused:
            next(stream)
        return refused.value.code(), refused.value.details() or ""


def foreign_papers(production: Production, target: Path) -> Papers:
    """A certificate of an authority that the peer does not know."""
    foreign = CertificateAuthority.create(common_name="foreign", organization="foreign")
    return made_papers(production, foreign.issue(common_name="x", client=True), target)


def chaincode_root(production: Production) -> bytes:
    return (production.peer.data / "chaincode" / "authority" / "ca.pem").read_bytes()
