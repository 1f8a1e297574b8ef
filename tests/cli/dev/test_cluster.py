"""``treadle dev`` in a cluster: real API server and rights, real peers behind forwarded ports.

What no cluster is needed for stands in the files beside this one; the operator's part, and a real
kubelet, in tests/operators and tests/e2e.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from harness.chaincodes import built
from harness.developing import TREADLE, DevelopmentPeer, child_of
from harness.kubernetes.control_plane import ControlPlane
from harness.kubernetes.developments import DevelopmentCluster
from harness.kubernetes.kubelets import ForwardingKubelet
from harness.peers import Peers
from harness.processes import Started
from treadle_cli.main import main

pytestmark = [pytest.mark.kubernetes, pytest.mark.toolchain("go")]

SPACE = "developers"


@pytest.fixture(scope="module")
def cluster(api_server: ControlPlane) -> Iterator[DevelopmentCluster]:
    with ForwardingKubelet(api_server) as kubelet:
        yield DevelopmentCluster.on(api_server, kubelet, SPACE)


@pytest.fixture(scope="module")
def peer(
    cluster: DevelopmentCluster, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[DevelopmentPeer]:
    """A peer with TLS that is called as the Service of the Peer ``peer0`` is."""
    peers = Peers(tmp_path_factory.mktemp("cluster"))
    named = {"CORE_PEER_ADDRESS": f"peer0.{SPACE}.svc:7051"}
    made = DevelopmentPeer(peers(mode="dev", tls=True, extra=named), tls=True)
    cluster.pod_of("peer0", made)
    yield made
    peers.end()


@pytest.fixture
def administrator(
    cluster: DevelopmentCluster, monkeypatch: pytest.MonkeyPatch
) -> DevelopmentCluster:
    """What kubectl is configured for."""
    monkeypatch.setenv("KUBECONFIG", str(cluster.plane.kubeconfig))
    monkeypatch.setenv("PATH", f"{cluster.plane.binaries}:{os.environ['PATH']}")
    return cluster


@pytest.fixture
def connect(tmp_path: Path) -> Iterator[Callable[..., Started]]:
    """``connect(name, *options)``: the Go example as the instantiation's process."""
    started: list[Started] = []

    def start(name: str, *options: str) -> Started:
        line = [*TREADLE, "dev", "connect", name, "-n", SPACE, *options, "--", "./chaincode"]
        output = tmp_path / f"connect-{len(started)}.log"
        started.append(Started(line, output=output, cwd=built("go")))
        return started[-1]

    yield start
    for process in started:
        process.stop()


def printed(capsys: pytest.CaptureFixture[str], verb: str, *arguments: str) -> str:
    """What ``treadle dev …`` prints."""
    capsys.readouterr()
    main(["dev", verb, "-n", SPACE, *arguments])
    return capsys.readouterr().out


def refused(capsys: pytest.CaptureFixture[str], verb: str, *arguments: str) -> str:
    with pytest.raises(SystemExit) as ended:
        main(["dev", verb, "-n", SPACE, *arguments])
    assert ended.value.code == 1
    return capsys.readouterr().err


def test_a_user_with_the_printed_role_develops_and_can_do_nothing_else(
    administrator: DevelopmentCluster,
    peer: DevelopmentPeer,
    connect: Callable[..., Started],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    cluster = administrator
    cluster.instantiation("asset")
    cluster.development("asset", {"peer0": peer})
    cluster.secret("other-dev", {"ccid": b"other:1"})
    role = printed(capsys, "role", "asset", "--user", "dana")
    monkeypatch.setenv("KUBECONFIG", str(cluster.user("dana", tmp_path)))
    assert "cannot read" in refused(capsys, "query", "asset", "version")
    cluster.plane.kubectl("apply", "-f", "-", stdin=role)

    process = connect("asset", "-v")
    peer.deploy("asset")
    process.wait_for_text("asset:1 is served to peer0", within=60)
    assert json.loads(printed(capsys, "query", "asset", "version"))["version"] == "1"
    paid = json.loads(printed(capsys, "invoke", "asset", "set", "k", "v"))
    assert paid == {"key": "k", "bytes": 1}
    assert json.loads(printed(capsys, "query", "asset", "get", "k"))["value"] == "v"
    process.wait_for_text("mychannel  set  200", within=60)

    assert "forbidden" in refused(capsys, "query", "other", "version")
    asked = ["--as", "dana", "auth", "can-i", "-n", SPACE]
    for verb, what in (("get", "secret/other-dev"), ("list", "secrets"), ("get", "pods/peer0-0")):
        with pytest.raises(AssertionError):
            cluster.plane.kubectl(*asked, verb, what)


def test_the_process_outlives_its_tunnel(
    administrator: DevelopmentCluster, peer: DevelopmentPeer, connect: Callable[..., Started]
) -> None:
    administrator.instantiation("tunnel")
    administrator.development("tunnel", {"peer0": peer})
    process = connect("tunnel")
    peer.deploy("tunnel")
    process.wait_for_text("tunnel:1 is served to peer0", within=60)
    pid, before = child_of(process), administrator.kubelet.requests
    administrator.kubelet.cut()
    peer.until_version("tunnel", "1")
    assert administrator.kubelet.requests > before
    assert child_of(process) == pid
    assert process.text().count("tunnel:1 is served to peer0") == 2


@pytest.mark.long
def test_one_process_serves_all_its_peers_and_only_those_that_are_named(
    administrator: DevelopmentCluster,
    peer: DevelopmentPeer,
    development_peer: DevelopmentPeer,
    connect: Callable[..., Started],
) -> None:
    administrator.pod_of("peer1", development_peer)
    administrator.instantiation("shared")
    administrator.development("shared", {"peer0": peer, "peer1": development_peer})
    process = connect("shared")
    for each in (peer, development_peer):
        each.deploy("shared")
        assert each.ask("shared", "version")["version"] == "1"
    child_of(process)
    alone = connect("shared", "--peer", "peer1", "--take")
    alone.wait_for_text("shared:1 is served to peer1", within=60)
    assert process.wait(within=60) == 3
    assert "peer1: replaced by " in process.text()
    assert "peer0" not in alone.text()


def test_the_environment_of_an_ide_leads_to_the_bridge(
    administrator: DevelopmentCluster, peer: DevelopmentPeer, capsys: pytest.CaptureFixture[str]
) -> None:
    administrator.instantiation("ide")
    administrator.development("ide", {"peer0": peer}, language="node")
    assert printed(capsys, "env", "ide", "--listen", "127.0.0.1:9052").splitlines() == [
        "CORE_CHAINCODE_ID_NAME=ide:1",
        "CORE_ID_CHAINCODE_NAME=ide:1",
        "CORE_PEER_LOCALMSPID=Org1MSP",
        "CORE_PEER_ADDRESS=127.0.0.1:9052",
        "CORE_PEER_TLS_ENABLED=false",
    ]


def test_what_is_in_the_way_of_developing_is_said(
    administrator: DevelopmentCluster, peer: DevelopmentPeer, capsys: pytest.CaptureFixture[str]
) -> None:
    administrator.instantiation("produced", mode="Production")
    said = refused(capsys, "env", "produced")
    assert said.startswith("treadle: produced is in production: set spec.mode to Development\n")
    said = refused(capsys, "env", "nothing")
    assert said.startswith(
        "treadle: kubectl cannot read chaincodeinstantiations.treadle.dev nothing"
    )
    administrator.instantiation("elsewhere")
    administrator.development("elsewhere", {"peer0": peer})
    said = refused(capsys, "connect", "elsewhere", "--peer", "peer7", "--", "true")
    assert said == ("treadle: the chaincode is not in development at Peer peer7, but at peer0\n")
