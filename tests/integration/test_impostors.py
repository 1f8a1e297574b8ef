"""Production mode lets register what the peer launched, and nothing else."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import grpc
import pytest
from harness.impostors import (
    chaincode_root,
    dialled,
    foreign_papers,
    made_papers,
    papers_of,
    private_port,
    real_shim,
)
from harness.launched import launched_groups
from harness.peers import Peers
from harness.production import Production
from harness.runtimes import CHANNEL
from treadle_fabric.identity import CertificateAuthority

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
