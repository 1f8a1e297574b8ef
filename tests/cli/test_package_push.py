"""``treadle package push`` before it reaches a peer: real kubectl, real API server, no node.

The push itself is part of tests/e2e: a port can be forwarded only where pods run.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from harness.kubernetes.control_plane import ControlPlane
from harness.kubernetes.resources import CRDS
from harness.processes import wait_until
from treadle_cli.main import main

SOURCES = Path(__file__).resolve().parents[2] / "examples" / "chaincode" / "python"
OPTIONS = ("--name", "asset", "--version", "1.0", "--language", "python", "--peer", "peer0")
PEERS = "/apis/treadle.dev/v1alpha1/namespaces/default/peers"
PEER = {
    "apiVersion": "treadle.dev/v1alpha1",
    "kind": "Peer",
    "metadata": {"name": "peer0", "namespace": "default"},
    "spec": {"mspID": "Org1MSP"},
}

pytestmark = pytest.mark.kubernetes


@pytest.fixture
def cluster(api_server: ControlPlane, monkeypatch: pytest.MonkeyPatch) -> ControlPlane:
    """What the user's kubectl is configured for."""
    api_server.kubectl("apply", "--server-side", "-f", str(CRDS))
    monkeypatch.setenv("KUBECONFIG", str(api_server.kubeconfig))
    monkeypatch.setenv("PATH", str(api_server.binaries))
    wait_until(lambda: api_server.api.get(PEERS).accepted, within=30, what="Peers being served")
    return api_server


def pushed(capsys: pytest.CaptureFixture[str], folder: Path = SOURCES) -> str:
    with pytest.raises(SystemExit) as ended:
        main(["package", "push", str(folder), *OPTIONS])
    assert ended.value.code == 1
    return capsys.readouterr().err


@pytest.mark.usefixtures("cluster")
def test_a_peer_that_is_not_there_is_named_in_kubectls_words(
    capsys: pytest.CaptureFixture[str],
) -> None:
    said = pushed(capsys)
    assert said.startswith("treadle: kubectl cannot read peers.treadle.dev peer0\n")
    assert '"peer0" not found' in said


def test_a_peer_without_its_admin_says_which_secret_is_missing(
    cluster: ControlPlane, capsys: pytest.CaptureFixture[str]
) -> None:
    cluster.api.create(PEERS, PEER).expect()
    try:
        said = pushed(capsys)
    finally:
        cluster.api.delete(f"{PEERS}/peer0").expect()
    assert said.startswith("treadle: kubectl cannot read secret org-org1msp-")
    assert "-admin" in said


def test_sources_that_break_a_rule_of_the_language_never_leave_the_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", "")
    said = pushed(capsys, tmp_path)
    assert said.startswith(f"treadle: {tmp_path} cannot be packed: ")


def test_without_kubectl_it_says_what_is_missing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", "")
    assert pushed(capsys) == (
        "treadle: kubectl is not installed, or not in PATH; it leads to the cluster\n"
    )
