"""Production mode lets register what the peer launched, and nothing else."""

from __future__ import annotations

import os
import shutil
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import grpc
import pytest
from fabric_protos.peer.chaincode_pb2 import ChaincodeID
from fabric_protos.peer.chaincode_shim_pb2 import ChaincodeMessage
from harness.chaincodes import built
from harness.launched import launched_groups, launched_processes
from harness.peers import Peers
from harness.processes import Started
from harness.production import Production
from harness.runtimes import CHANNEL
from treadle_fabric.identity import CertificateAuthority, IssuedCertificate
from treadle_peer.chaincode.authority import ChaincodeAuthority
from treadle_peer.chaincode.launch import sockets

if TYPE_CHECKING:
    from .conftest import CliFactory

pytestmark = [
    pytest.mark.real_fabric,
    pytest.mark.toolchain("go"),
    pytest.mark.timeout(300),
]

NOT_ACCEPTED = "peer will not accept external chaincode connection {} (except in dev mode)"


def productions(
    tmp_path_factory: pytest.TempPathFactory, fabric_cli: CliFactory, *, tls: bool
) -> Iterator[Production]:
    """A peer with two running chaincodes: ``real`` and ``other``."""
    peers = Peers(tmp_path_factory.mktemp("impostors"))
    peer = peers(extra={} if tls else {"CORE_TREADLE_CHAINCODE_TLS": "false"})
    production = Production(peer=peer, make_cli=fabric_cli)
    for name in ("real", "other"):
        production.deploy("go", name=name)
    yield production
    peers.end()


@pytest.fixture(scope="module")
def with_tls(
    tmp_path_factory: pytest.TempPathFactory, fabric_cli: CliFactory
) -> Iterator[Production]:
    yield from productions(tmp_path_factory, fabric_cli, tls=True)


@pytest.fixture(scope="module")
def without_tls(
    tmp_path_factory: pytest.TempPathFactory, fabric_cli: CliFactory
) -> Iterator[Production]:
    yield from productions(tmp_path_factory, fabric_cli, tls=False)


@pytest.fixture
def unharmed(request: pytest.FixtureRequest) -> Iterator[Callable[[Production], None]]:
    """Call it first: afterwards the real processes must be the same ones and answer."""
    watched: list[tuple[Production, str, set[int], object]] = []

    def watch(production: Production) -> None:
        for name in ("real", "other"):
            ccid = f"{name}:1"
            groups = launched_groups(production.peer.data, ccid)
            watched.append((production, name, groups, facts(production, ccid)))

    yield watch
    for production, name, groups, before in watched:
        assert len(groups) == 1
        assert launched_groups(production.peer.data, f"{name}:1") == groups
        assert facts(production, f"{name}:1") == before
        assert production.ask(name, "query", "bob")["balance"] == 20


def facts(production: Production, ccid: str) -> object:
    row = production.row(ccid)
    return row["state"], row["instance"], row["remote"], row["restarts"], row["errors"]


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
    address: str, ccid: str, credentials: grpc.ChannelCredentials | None
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
        )(iter([register]), timeout=30)
        with pytest.raises(grpc.RpcError) as refused:
            next(stream)
        return refused.value.code(), refused.value.details() or ""


def foreign_papers(production: Production, target: Path) -> Papers:
    """A certificate of an authority that the peer does not know."""
    foreign = CertificateAuthority.create(common_name="foreign", organization="foreign")
    return made_papers(production, foreign.issue(common_name="x", client=True), target)


def chaincode_root(production: Production) -> bytes:
    return (production.peer.data / "chaincode" / "authority" / "ca.pem").read_bytes()


Watch = Callable[[Production], None]


WITHOUT_TLS = {"CORE_PEER_TLS_ENABLED": "false"}


@pytest.mark.parametrize("ccid", ["real:1", "unknown:1"])
@pytest.mark.parametrize(
    "presents", ["the right certificate", "foreign certificate", "no certificate", "plaintext"]
)
def test_whoever_dials_the_advertised_port_is_refused_with_a_sentence(
    presents: str, ccid: str, with_tls: Production, unharmed: Watch, tmp_path: Path
) -> None:
    unharmed(with_tls)
    papers = (
        foreign_papers(with_tls, tmp_path / "papers")
        if presents == "foreign certificate"
        else papers_of(with_tls, "real:1", tmp_path / "papers")
    )
    credentials = {
        "no certificate": grpc.ssl_channel_credentials(chaincode_root(with_tls)),
        "plaintext": None,
    }.get(presents, papers.credentials())
    address = with_tls.peer.addresses["chaincode"]
    code, sentence = dialled(address, ccid, credentials)
    assert code is grpc.StatusCode.PERMISSION_DENIED
    assert NOT_ACCEPTED.format(ccid) in sentence
    assert "it was not launched by this peer" in sentence
    assert "development mode accepts processes started by hand" in sentence
    assert sentence in with_tls.peer.process.text()
    if presents != "no certificate":  # the shim does not start with TLS and without one
        environment = WITHOUT_TLS if credentials is None else papers.environment()
        assert sentence in real_shim(address, ccid, tmp_path / "impostor.log", environment)


@pytest.mark.parametrize("presents", ["foreign certificate", "no certificate", "plaintext"])
def test_who_has_nothing_of_this_authority_does_not_get_into_the_private_port(
    presents: str, with_tls: Production, unharmed: Watch, tmp_path: Path
) -> None:
    """As with Fabric the handshake itself fails; whoever is here did not follow our address."""
    unharmed(with_tls)
    credentials = {
        "foreign certificate": foreign_papers(with_tls, tmp_path / "papers").credentials(),
        "no certificate": grpc.ssl_channel_credentials(chaincode_root(with_tls)),
        "plaintext": None,
    }[presents]
    code, _ = dialled(private_port(with_tls), "real:1", credentials)
    assert code is grpc.StatusCode.UNAVAILABLE


def test_garbage_and_silence_at_the_advertised_port_harm_nobody(
    with_tls: Production, unharmed: Watch
) -> None:
    unharmed(with_tls)
    host, port = with_tls.peer.addresses["chaincode"].rsplit(":", 1)
    with ExitStack() as open_connections:
        for _ in range(400):
            connection = socket.create_connection((host, int(port)), timeout=20)
            open_connections.enter_context(connection)
        with socket.create_connection((host, int(port)), timeout=20) as garbage, suppress(OSError):
            garbage.sendall(b"GET / HTTP/1.1\r\n\r\n")
            assert garbage.recv(100) == b""
        assert with_tls.ask("real", "query", "bob")["balance"] == 20
    assert with_tls.logged("more are closed at once") >= 1


def test_an_unknown_name_is_refused_at_the_private_port(
    with_tls: Production, unharmed: Watch, tmp_path: Path
) -> None:
    unharmed(with_tls)
    papers, address = papers_of(with_tls, "other:1", tmp_path / "papers"), private_port(with_tls)
    code, sentence = dialled(address, "unknown:1", papers.credentials())
    assert code is grpc.StatusCode.PERMISSION_DENIED
    assert NOT_ACCEPTED.format("unknown:1") in sentence
    said = real_shim(address, "unknown:1", tmp_path / "impostor.log", papers.environment())
    assert sentence in said


def test_the_right_name_with_the_certificate_of_another_chaincode_is_refused(
    with_tls: Production, unharmed: Watch, tmp_path: Path
) -> None:
    unharmed(with_tls)
    papers, address = papers_of(with_tls, "other:1", tmp_path / "papers"), private_port(with_tls)
    said = real_shim(address, "real:1", tmp_path / "impostor.log", papers.environment())
    assert NOT_ACCEPTED.format("real:1") in said
    assert "belongs to a different chaincode (other:1)" in said


def test_the_right_name_with_a_certificate_that_was_not_issued_for_a_launch_is_refused(
    with_tls: Production, unharmed: Watch, tmp_path: Path
) -> None:
    unharmed(with_tls)
    key = (with_tls.peer.data / "chaincode" / "authority" / "ca.key").read_bytes()
    own = CertificateAuthority.from_pem(chaincode_root(with_tls), key)
    papers = made_papers(with_tls, own.issue(common_name="x", client=True), tmp_path / "papers")
    log = tmp_path / "impostor.log"
    said = real_shim(private_port(with_tls), "real:1", log, papers.environment())
    assert NOT_ACCEPTED.format("real:1") in said
    assert "was not issued for a launch of this peer run" in said


def test_the_certificate_of_an_ended_launch_is_refused(
    with_tls: Production, unharmed: Watch, tmp_path: Path
) -> None:
    papers = papers_of(with_tls, "real:1", tmp_path / "papers")
    with_tls.cli().invoke("real", "crash", "3", channel=CHANNEL, succeeds=False)
    assert with_tls.ask("real", "query", "bob")["balance"] == 20
    unharmed(with_tls)
    log = tmp_path / "impostor.log"
    said = real_shim(private_port(with_tls), "real:1", log, papers.environment())
    assert NOT_ACCEPTED.format("real:1") in said
    assert "its launch has ended and its certificate is retired" in said


@pytest.mark.parametrize(
    ("ccid", "reason"),
    [
        ("real:1", "is not held by the process that was launched"),
        ("unknown:1", "the peer has not launched this chaincode"),
    ],
)
def test_without_tls_another_process_is_refused(
    ccid: str, reason: str, without_tls: Production, unharmed: Watch, tmp_path: Path
) -> None:
    unharmed(without_tls)
    address = without_tls.peer.addresses["chaincode"]
    code, sentence = dialled(address, ccid, None)
    assert code is grpc.StatusCode.PERMISSION_DENIED
    said = real_shim(address, ccid, tmp_path / "impostor.log", WITHOUT_TLS)
    for text in (sentence, said):
        assert NOT_ACCEPTED.format(ccid) in text
        assert reason in text
        assert "start the peer with --peer-chaincodedev" in text
