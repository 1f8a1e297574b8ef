"""Packages of every language become pods that the real Fabric CLI invokes: nothing is mocked."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml
from e2e import wanted
from e2e.kubectl import Kubectl
from e2e.organization import fabric_cli
from e2e.vendored import vendored
from harness.chaincodes import LANGUAGES, PEER_LANGUAGE
from harness.fabric_cli import FabricCli
from harness.processes import wait_until

pytestmark = [pytest.mark.e2e, pytest.mark.real_fabric, pytest.mark.timeout(1800)]


@pytest.fixture(scope="module")
def cli(trade: Kubectl, fabric_bin: Path, fabric_sampleconfig: Path) -> Iterator[FabricCli]:
    """The administrator of peer0's organisation, through port-forwards."""
    with fabric_cli(trade, binaries=fabric_bin, sample=fabric_sampleconfig) as ready:
        yield ready


def push(trade: Kubectl, folder: Path, *, name: str, language: str) -> dict[str, object]:
    """``treadle package push``: install at peer0, and the object that refers to what is there."""
    options = ["--name", name, "--version", "1", "--language", language, "--peer", "peer0"]
    environment = trade.environment()
    environment["PATH"] = f"{trade.binaries}:{environment['PATH']}"
    command = [sys.executable, "-m", "treadle_cli.main", "package", "push", str(folder)]
    done = subprocess.run(
        [*command, *options, "--namespace", trade.namespace],
        env=environment, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    printed: dict[str, object] = yaml.safe_load(done.stdout)
    return printed


@pytest.mark.parametrize(
    "language", [pytest.param(one, marks=pytest.mark.toolchain(one)) for one in LANGUAGES]
)
def test_a_package_becomes_a_pod_that_registers_and_answers(
    trade: Kubectl, cli: FabricCli, language: str, tmp_path: Path, say: Callable[[str], None]
) -> None:
    name = f"accounts-{language}"
    folder = vendored(language, tmp_path)
    manifest = push(trade, folder, name=name, language=PEER_LANGUAGE[language])
    begun = time.monotonic()
    package = manifest["metadata"]["name"]  # type: ignore[index]
    trade.apply(manifest, wanted.instantiation(name, package, "init", "a", "100", "b", "0"))
    trade.wait(f"chaincodepackages.treadle.dev/{package}", "condition=Ready", within=60)
    trade.wait(f"chaincodeinstantiations.treadle.dev/{name}", "condition=Ready", within=900)
    ready = time.monotonic() - begun
    answer = json.loads(cli.query(name, "query", "a", channel="mychannel"))
    assert answer == {"account": "a", "balance": 100}
    cli.invoke(name, "transfer", "a", "b", "30", channel="mychannel")
    say(f"{language}: Ready {ready:.0f} s after apply, built from nothing")
    assert json.loads(cli.query(name, "query", "b", channel="mychannel"))["balance"] == 30
    deployments = trade.get("deployments", "--selector=app.kubernetes.io/component=chaincode")
    assert all(one["status"]["readyReplicas"] == 1 for one in deployments["items"])


def test_a_chaincode_whose_pod_is_killed_registers_again(trade: Kubectl, cli: FabricCli) -> None:
    chosen = ["pods", "--selector=app.kubernetes.io/component=chaincode"]
    pods = [
        one["metadata"]["name"]
        for one in trade.get(*chosen)["items"]
        if "accounts-go" in one["metadata"]["name"]
    ]
    assert pods
    trade.run("delete", "pod", *pods, "--grace-period=0", "--force")

    def answers() -> bool:
        try:
            return "balance" in cli.query("accounts-go", "query", "a", channel="mychannel")
        except AssertionError:
            return False

    wait_until(answers, within=60, what="accounts-go answering from a new pod")
