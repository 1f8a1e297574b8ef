"""``treadle dev`` against everything real but the kubelet: operator, Secret, rights, pod, TLS.

docs/develop-on-kubernetes.md is what a developer reads of it. The Peer is in production; one of
its chaincodes changes hands.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from harness.chaincodes import newer
from harness.developing import TREADLE, child_of
from harness.kubernetes.kubelets import ForwardingKubelet
from harness.nodes.machine import Machine
from harness.nodes.node import NAME as NODE
from harness.operating.netns import dial
from harness.operating.operated import Operated, go_files, package_of
from harness.processes import Started, wait_until

pytestmark = [
    pytest.mark.kubernetes,
    pytest.mark.process_node,
    pytest.mark.toolchain("go"),
    pytest.mark.long,
]

NAME = "typed"
KIND = "ChaincodeInstantiation"
WITHIN = 240.0  # seconds for a build on a busy machine


@pytest.fixture(scope="module", autouse=True)
def running(trade: Operated) -> None:
    """In production, with an account."""
    files = package_of(go_files(), name=NAME, version="1.0")
    trade.space.create_package(f"{NAME}-1.0", **files)
    trade.instantiate(NAME, f"{NAME}-1.0", init={"args": ["init", "a", "100"]})
    trade.ready(KIND, NAME, within=WITHIN)


@pytest.fixture
def kubelet(machine: Machine, trade: Operated) -> Iterator[ForwardingKubelet]:
    """Forwards ports of the peer's pod, as a kubelet does: on its loopback interface."""
    with ForwardingKubelet(machine.plane, node=NODE) as borrowed:
        for port in (7050, 7051, 7052):
            borrowed.ports["peer0-0", port] = lambda port=port: dial(address(trade), port)
        yield borrowed


def address(trade: Operated) -> str:
    (pod,) = trade.pods("peer0-0")
    found: str = pod["status"]["podIP"]
    return found


class Developer:
    """Types commands as a user of the cluster who has the printed Role."""

    def __init__(self, machine: Machine, trade: Operated, folder: Path) -> None:
        plane = machine.plane
        file = folder / "dana.kubeconfig"
        plane.write_kubeconfig(file, plane.certificates.issue("dana"))
        path = f"{plane.binaries}:{os.environ['PATH']}"
        self.rights = {**os.environ, "KUBECONFIG": str(plane.kubeconfig), "PATH": path}
        self.environment = {**self.rights, "KUBECONFIG": str(file), "LOGNAME": "dana"}
        self._space = trade.space.name
        self._folder = folder

    def types(self, verb: str, *words: str, administrator: bool = False) -> str:
        done = subprocess.run(
            [*TREADLE, "dev", verb, "-n", self._space, *words],
            env=self.rights if administrator else self.environment,
            capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout

    def connects(self, folder: Path) -> Started:
        line = [*TREADLE, "dev", "connect", "-n", self._space, NAME, "-v", "--", "./chaincode"]
        output = self._folder / "connect.log"
        return Started(line, output=output, environment=self.environment, cwd=folder)


def test_a_developer_serves_calls_and_gives_back_a_chaincode_of_a_production_peer(
    machine: Machine, trade: Operated, kubelet: ForwardingKubelet, tmp_path: Path
) -> None:
    dana = Developer(machine, trade, tmp_path)
    trade.change(KIND, NAME, mode="Development")
    trade.becomes(KIND, NAME, "DeveloperNotConnected", within=120)
    secrets = f"/api/v1/namespaces/{trade.space.name}/secrets/{NAME}-dev"
    wait_until(lambda: trade.space.api.get(secrets).accepted, within=60, what="the Secret")
    role = dana.types("role", NAME, "--user", "dana", administrator=True)
    machine.plane.kubectl("apply", "-f", "-", stdin=role)

    process = dana.connects(newer("go", tmp_path / "own"))
    try:
        process.wait_for_text(f"{NAME}:1.0 is served to peer0", within=120)
        trade.ready(KIND, NAME, within=60)
        assert "dana@" in trade.reason(KIND, NAME, "DeveloperConnected")[2]
        assert json.loads(dana.types("query", NAME, "version"))["version"] == "2"
        assert json.loads(dana.types("invoke", NAME, "set", "k", "v"))["key"] == "k"
        assert json.loads(dana.types("query", NAME, "get", "k"))["value"] == "v"
        pid = child_of(process)
        kubelet.cut()
        wait_until(
            lambda: process.text().count(f"{NAME}:1.0 is served to peer0") == 2,
            within=60,
            what="the process being registered again",
        )
        assert child_of(process) == pid
        trade.change(KIND, NAME, mode="Production")
        assert process.wait(within=120) == 1
        assert f"chaincode {NAME}:1.0 is now in production mode" in process.text()
    finally:
        process.stop()
    trade.ready(KIND, NAME, within=WITHIN)
    assert json.loads(trade.query(NAME, "version"))["version"] == "1"
