"""``treadle dev connect`` to a peer with TLS: by the bridge, and by the shim itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from harness.developing import DevelopmentPeer, example
from harness.peers import Peers
from harness.processes import Started

Connecting = Callable[..., Started]


@pytest.fixture(scope="module")
def tls_peer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DevelopmentPeer]:
    peers = Peers(tmp_path_factory.mktemp("tls"))
    yield DevelopmentPeer(peers(mode="dev", tls=True), tls=True)
    peers.end()


def certificate(peer: DevelopmentPeer) -> list[str]:
    """The options for what the peer keeps for its developers."""
    folder: Path = peer.process.data / "chaincode" / "authority" / "development"
    files = {"--root": "peer.crt", "--cert": "client_pem.crt", "--key": "client_pem.key"}
    return [word for option, name in files.items() for word in (option, str(folder / name))]


@pytest.mark.toolchain("go")
def test_the_bridge_brings_the_certificate_and_the_chaincode_needs_none(
    tls_peer: DevelopmentPeer, connected: Connecting
) -> None:
    folder, command = example("go")
    connected(tls_peer, "bridged", *command, options=certificate(tls_peer), folder=folder)
    tls_peer.deploy("bridged")
    assert tls_peer.ask("bridged", "version")["version"] == "1"


@pytest.mark.long
@pytest.mark.parametrize(
    "language",
    [
        pytest.param("go", marks=pytest.mark.toolchain("go")),
        pytest.param("node", marks=pytest.mark.toolchain("node")),
        pytest.param("java", marks=pytest.mark.toolchain("java")),
    ],
)
def test_directly_the_shim_has_tls_of_its_own(
    language: str, tls_peer: DevelopmentPeer, connected: Connecting
) -> None:
    folder, command = example(language)
    options = ["--direct", *certificate(tls_peer)]
    process = connected(tls_peer, f"direct-{language}", *command, options=options, folder=folder)
    tls_peer.deploy(f"direct-{language}")
    assert tls_peer.ask(f"direct-{language}", "version")["version"] == "1"
    assert "is served to" not in process.text()


def test_half_of_the_certificate_is_a_usage_error(
    tls_peer: DevelopmentPeer, connected: Connecting
) -> None:
    root = certificate(tls_peer)[:2]
    process = connected(tls_peer, "half", "true", options=root)
    assert process.wait(within=60) == 2
    assert "--root, --cert and --key go together" in process.text()


def test_a_server_cannot_be_direct(tls_peer: DevelopmentPeer, connected: Connecting) -> None:
    options = ["--direct", *certificate(tls_peer)]
    process = connected(tls_peer, "python", "python3", "-c", "", options=options)
    assert process.wait(within=60) == 1
    assert "a chaincode that listens cannot dial the peer" in process.text()
