"""Chaincode in pods: built by a Job, registered by its certificate, kept, renewed, taken away."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from harness.chaincodes import sources
from harness.nodes.machine import Machine
from harness.operating.account import new_account
from harness.operating.operated import Operated
from harness.operating.process import OperatorProcess
from harness.operating.world import Namespace, secret_bytes
from harness.processes import Deadline, wait_until
from harness.runtimes import runtimes
from treadle_fabric.client import ClientError
from treadle_operator.names import build_name, runtime_name

pytestmark = [pytest.mark.kubernetes, pytest.mark.process_node, pytest.mark.toolchain("go")]

CCID = "asset:1.0"
NAME, BUILD = runtime_name("peer0", CCID), build_name("peer0", CCID)
LIFETIME = 75  # seconds: renewed after 50
GO = {
    file.name: file.read_text()
    for file in sources("go").iterdir()
    if file.suffix in {".go", ".mod", ".sum"}
}


@dataclass(frozen=True, slots=True)
class Trade:
    """A namespace for restricted pods with an operator and a ready peer0 with mychannel."""

    space: Namespace
    operator: OperatorProcess
    clients: Operated

    def pods(self, component: str = "chaincode") -> list[dict[str, Any]]:
        path = f"/api/v1/namespaces/{self.space.name}/pods"
        selector = f"app.kubernetes.io/component%3D{component}"
        found: list[dict[str, Any]] = self.space.api.get(
            f"{path}?labelSelector={selector}"
        ).expect()["items"]
        return found

    def registry(self) -> dict[str, dict[str, Any]]:
        """The active registry of the peer, by ccid."""
        (pod,) = self.pods("peer")
        address = f"{pod['status']['podIP']}:9443"
        return {row["ccid"]: row for row in runtimes(address)}

    def state(self, ccid: str = CCID) -> str:
        """As the Peer's status tells it."""
        rows = self.space.get("Peer", "peer0").get("status", {}).get("runtimes", [])
        return next((str(row["state"]) for row in rows if row["ccid"] == ccid), "")

    def until(self, holds: Callable[[], object], *, what: str, within: float = 60) -> None:
        """Wait; who gives up says what everybody had to say."""
        try:
            wait_until(holds, within=within, what=what)
        except Deadline as error:
            kinds = ("Peer", "ChaincodePackage", "ChaincodeInstantiation")
            said = [body.get("status") for kind in kinds for body in self.space.all(kind)]
            pods = [body["status"] for body in self.pods("builder") + self.pods()]
            log = self.operator.started.text()
            text = "\n".join(map(json.dumps, said + pods))
            raise AssertionError(f"{error}\n{text}\n{log}") from error

    def becomes(self, state: str, ccid: str = CCID) -> None:
        self.until(lambda: self.state(ccid) == state, what=f"{ccid} being {state}")

    def instantiated(self, name: str) -> tuple[str, str, str]:
        return self.space.condition("Ready", name, of="ChaincodeInstantiation")

    def ready(self, name: str) -> None:
        self.until(lambda: self.instantiated(name)[0] == "True", what=f"{name} being ready")

    def answers(self) -> bool:
        """Whether a client's query is answered."""
        try:
            return b"1" in self.clients.query("asset", "version")
        except ClientError:
            return False

    def has(self, path: str) -> bool:
        return bool(self.space.api.get(path).accepted)

    def object(self, kind: str, name: str) -> str:
        api = {"jobs": "batch/v1", "deployments": "apps/v1"}[kind]
        return f"/apis/{api}/namespaces/{self.space.name}/{kind}/{name}"


@pytest.fixture(scope="module")
def trade(machine: Machine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trade]:
    account = new_account(machine.plane)
    space = Namespace(machine.plane.api, account.namespace)
    labels = {"pod-security.kubernetes.io/enforce": "restricted"}
    path = f"/api/v1/namespaces/{space.name}"
    space.api.merge(path, {"metadata": {"labels": labels}}).expect()
    process = OperatorProcess(
        account,
        tmp_path_factory.mktemp("operator"),
        server=f"https://127.0.0.1:{machine.plane.port}",
        image="peer",
        hosts=machine.node.hosts,
        flags=(
            *("--builder-image", "golang=golang", "--runtime-image", "golang=stock"),
            *("--certificate-lifetime", f"{LIFETIME}s"),
        ),
    )
    with process:
        space.create_peer(channels=[{"name": "mychannel"}, {"name": "other"}])
        wait_until(lambda: space.condition()[0] == "True", within=90, what="peer0 being ready")
        yield Trade(space, process, Operated(machine, account, space))


@pytest.fixture(scope="module", autouse=True)
def asset(trade: Trade) -> None:
    """A chaincode that runs, whichever of the tests are chosen."""
    trade.space.create_package(language="golang", source={"files": GO})
    trade.space.create_instantiation("asset")
    trade.becomes("Registered")
    trade.ready("asset")


def test_a_chaincode_is_built_once_and_runs_in_a_pod_of_its_own(trade: Trade) -> None:
    (pod,) = trade.pods()
    assert pod["metadata"]["annotations"]["treadle.dev/ccid"] == CCID
    assert trade.registry()[CCID]["state"] == "registered"
    gone = [trade.object("jobs", BUILD), trade.space.path("Secret", BUILD)]
    trade.until(lambda: not any(map(trade.has, gone)), within=30, what="the builder being gone")


@pytest.mark.long
def test_a_certificate_is_renewed_by_new_pods_and_the_old_one_ends(trade: Trade) -> None:
    before = trade.space.get("Secret", NAME)
    fingerprint = before["metadata"]["annotations"]["treadle.dev/certificate"]

    answers: list[bool] = []

    def renewed() -> bool:
        answers.append(trade.answers())
        secret = trade.space.get("Secret", NAME)["metadata"]["annotations"]
        return secret["treadle.dev/certificate"] != fingerprint and not secret.get(
            "treadle.dev/retiring"
        )

    trade.until(renewed, within=90, what="another certificate, and the old one retired")
    after = trade.space.get("Secret", NAME)
    assert secret_bytes(after)["ca.crt"] == secret_bytes(before)["ca.crt"]
    fingerprints = {
        pod["metadata"]["annotations"]["treadle.dev/certificate"] for pod in trade.pods()
    }
    assert fingerprint not in fingerprints
    # What is under way in a process that is ended fails; there is one query at a time.
    assert answers.count(False) <= 1, f"{answers.count(False)} of {len(answers)}"
    assert len(answers) > 10
    trade.becomes("Registered")


def test_a_process_that_dies_is_started_again(trade: Trade) -> None:
    for pid in processes_of(trade, CCID):
        os.kill(pid, signal.SIGKILL)
    trade.until(lambda: restarts(trade) > 0, within=60, what="the container being started again")
    trade.becomes("Registered")


def test_a_source_that_does_not_build_is_told_with_the_compilers_words(trade: Trade) -> None:
    broken = {**GO, "broken.go": "package main\n\nfunc broken() int { return nothing }\n"}
    trade.space.create_package(
        "asset-2", version="2.0", language="golang", source={"files": broken}
    )
    trade.space.create_instantiation("second", packageRef={"name": "asset-2"}, channel="other")
    trade.becomes("Failed", "asset:2.0")
    told = "undefined: nothing"
    trade.until(lambda: told in trade.instantiated("second")[2], what="the compiler's words")
    job = build_name("peer0", "asset:2.0")
    assert trade.has(trade.object("jobs", job))


def test_an_image_that_is_not_there_is_told_and_another_one_builds(trade: Trade) -> None:
    peer = trade.space.path("Peer", "peer0")

    def builders(image: str | None) -> dict[str, Any]:
        return {"spec": {"chaincode": {"builders": {"golang": {"image": image}}}}}

    trade.space.api.merge(peer, builders("registry.example.com/missing:1")).expect()
    trade.space.create_package("three", name="three", language="golang", source={"files": GO})
    trade.space.create_instantiation("third", packageRef={"name": "three"})
    trade.becomes("Failed", "three:1.0")
    told = "cannot fetch image registry.example.com/missing:1"
    trade.until(lambda: told in trade.instantiated("third")[2], what="the image being named")
    trade.space.api.merge(peer, builders(None)).expect()
    trade.becomes("Registered", "three:1.0")
    trade.ready("third")


def test_what_nobody_claims_is_taken_away(trade: Trade) -> None:
    path = trade.space.path("ChaincodeInstantiation", "asset")
    trade.space.api.delete(path).expect()
    gone = [trade.object("deployments", NAME), trade.space.path("Secret", NAME)]
    trade.until(lambda: not any(map(trade.has, gone)), within=60, what="its objects being gone")
    trade.until(lambda: not processes_of(trade, CCID), within=60, what="its process being gone")


def restarts(trade: Trade) -> int:
    statuses = [
        status
        for pod in trade.pods()
        for status in pod["status"].get("containerStatuses", [])
        if status["name"] == "chaincode"
    ]
    return max((status["restartCount"] for status in statuses), default=0)


def processes_of(trade: Trade, ccid: str) -> list[int]:
    """Chaincode processes of this namespace registered as *ccid*; not the shells around them."""
    peer = f".{trade.space.name}.svc:".encode()
    found = []
    for folder in Path("/proc").iterdir():
        try:
            if not folder.name.isdigit():
                continue
            environment = (folder / "environ").read_bytes().split(b"\0")
            command = (folder / "cmdline").read_bytes()
        except OSError:
            continue
        named = f"CORE_CHAINCODE_ID_NAME={ccid}".encode() in environment
        own = named and any(
            each.startswith(b"CORE_PEER_ADDRESS=") and peer in each for each in environment
        )
        if own and not command.startswith((b"/bin/sh", b"sleep")):
            found.append(int(folder.name))
    return found
