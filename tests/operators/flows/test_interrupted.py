"""What changes its mind during a build, and a peer that is killed while a chaincode works."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from harness.nodes.machine import Machine
from harness.operating.gates import BuildGate, Gate, gate, gated_files
from harness.operating.operated import Operated, go_files, operated, package_of
from harness.processes import wait_until
from treadle_fabric.client import ClientError
from treadle_operator.names import build_name, runtime_name

pytestmark = [
    pytest.mark.kubernetes,
    pytest.mark.process_node,
    pytest.mark.toolchain("go"),
    pytest.mark.long,
    pytest.mark.timeout(900),
]

WITHIN = 240.0  # seconds for a build on a busy machine
KIND = "ChaincodeInstantiation"
INIT = {"args": ["init", "a", "100", "b", "0"]}
Say = Callable[[str], None]


@pytest.fixture(scope="module")
def builds(tmp_path_factory: pytest.TempPathFactory) -> BuildGate:
    return BuildGate(tmp_path_factory.mktemp("gate"))


@pytest.fixture(scope="module")
def trade(
    machine: Machine, builds: BuildGate, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Operated]:
    """A namespace whose Go is built by an image of its own."""
    machine.node.images["gated"] = builds.image(machine.node.images["golang"])
    settings = {"builders": {"golang": {"image": "gated"}}}
    with operated(machine, tmp_path_factory.mktemp("trade"), chaincode=settings) as running:
        yield running


@pytest.fixture
def waiting(machine: Machine) -> Iterator[Gate]:
    with gate(machine.node.address) as made:
        yield made


def is_building(trade: Operated, ccid: str) -> None:
    """Return once the toolchain runs."""

    def runs() -> bool:
        statuses = [
            status
            for pod in trade.pods(build_name("peer0", ccid))
            for status in pod["status"].get("initContainerStatuses", [])
        ]
        return any(one["name"] == "build" and "running" in one["state"] for one in statuses)

    wait_until(runs, within=WITHIN, what=f"the build of {ccid}")


def begin(trade: Operated, builds: BuildGate, name: str) -> None:
    """A chaincode whose build waits at the gate."""
    builds.shut()
    package(trade, name, "1.0")
    trade.instantiate(name, f"{name}-1.0", init=INIT)
    is_building(trade, f"{name}:1.0")


def package(trade: Operated, name: str, version: str) -> None:
    spec = package_of(go_files(), name=name, version=version)
    trade.space.create_package(f"{name}-{version}", **spec)


def is_released(trade: Operated, ccid: str) -> None:
    """Return once nothing of a runtime is left."""
    name, build = runtime_name("peer0", ccid), build_name("peer0", ccid)
    objects = [("Job", build), ("Secret", build), ("Secret", name), ("Deployment", name)]

    def gone() -> bool:
        rows = trade.space.get("Peer", "peer0")["status"].get("runtimes", [])
        return (
            not any(trade.space.find(*each) for each in objects)
            and not trade.pods(name)
            and ccid not in [row["ccid"] for row in rows]
        )

    wait_until(gone, within=WITHIN, what=f"nothing of {ccid} being left")


def writes(trade: Operated, name: str) -> int:
    """How often the account b was written."""
    history = json.loads(trade.query(name, "history", "b"))
    return len(history["history"] if isinstance(history, dict) else history)


def test_a_version_that_is_asked_for_during_a_build_is_the_only_one_instantiated(
    trade: Operated, builds: BuildGate
) -> None:
    height = trade.height()
    begin(trade, builds, "hasty")
    package(trade, "hasty", "1.1")
    trade.change(KIND, "hasty", packageRef={"name": "hasty-1.1"})
    is_building(trade, "hasty:1.1")
    is_released(trade, "hasty:1.0")
    builds.open()
    trade.ready(KIND, "hasty", within=WITHIN)
    assert trade.space.get(KIND, "hasty")["status"]["legacyID"] == "hasty:1.1"
    assert (trade.height(), writes(trade, "hasty")) == (height + 1, 1)
    assert [each for each in trade.deployments() if "hasty" in each] == [
        runtime_name("peer0", "hasty:1.1")
    ]


def test_what_is_said_of_the_pods_during_a_build_holds_for_the_first_of_them(
    trade: Operated, builds: BuildGate
) -> None:
    begin(trade, builds, "retuned")
    job = trade.space.get("Job", build_name("peer0", "retuned:1.0"))["metadata"]["uid"]
    setting = {"name": "LEVEL", "value": "debug"}
    trade.change(KIND, "retuned", runtime={"replicas": 2, "env": [setting]})
    wait_until(lambda: is_observed(trade, "retuned"), within=60, what="the change being seen")
    assert trade.space.get("Job", build_name("peer0", "retuned:1.0"))["metadata"]["uid"] == job
    builds.open()
    trade.ready(KIND, "retuned", within=WITHIN)
    made = trade.space.get("Deployment", runtime_name("peer0", "retuned:1.0"))
    assert (made["metadata"]["generation"], made["spec"]["replicas"]) == (1, 2)
    (chaincode,) = (
        each
        for each in made["spec"]["template"]["spec"]["containers"]
        if each["name"] == "chaincode"
    )
    assert setting in chaincode["env"]


def is_observed(trade: Operated, name: str) -> bool:
    body = trade.space.get(KIND, name)
    observed: list[int] = [
        one["observedGeneration"] for one in body.get("status", {}).get("conditions", [])
    ]
    return set(observed) == {body["metadata"]["generation"]}


def test_what_is_deleted_during_its_build_leaves_nothing_and_can_come_again(
    trade: Operated, builds: BuildGate
) -> None:
    height = trade.height()
    begin(trade, builds, "dropped")
    trade.space.api.delete(trade.space.path(KIND, "dropped")).expect()
    wait_until(lambda: trade.space.find(KIND, "dropped") is None, within=60, what="its deletion")
    is_released(trade, "dropped:1.0")
    builds.open()
    assert trade.height() == height
    trade.instantiate("dropped", "dropped-1.0", init=INIT)
    trade.ready(KIND, "dropped", within=WITHIN)
    assert (trade.height(), writes(trade, "dropped")) == (height + 1, 1)


def gated(trade: Operated, waiting: Gate, name: str) -> None:
    """Instantiate a chaincode that asks at the gate."""
    source = {"files": gated_files()}
    spec: dict[str, Any] = {"name": name, "version": "1.0", "language": "golang", "source": source}
    trade.space.create_package(f"{name}-1.0", **spec)
    runtime = {"env": [{"name": "GATE", "value": waiting.url}]}
    trade.instantiate(name, f"{name}-1.0", init=INIT, runtime=runtime)


def kill_peer(trade: Operated) -> None:
    """SIGKILL to the process alone, not to its pod, and wait until it runs anew."""
    (pod,) = trade.pods("peer0-0")
    before = peer_container(trade)["restartCount"]
    (pid,) = peers_at(pod["status"]["podIP"])
    os.kill(pid, signal.SIGKILL)
    wait_until(
        lambda: peer_container(trade)["restartCount"] > before, within=60, what="another process"
    )


def peer_container(trade: Operated) -> dict[str, Any]:
    """Its status."""
    (pod,) = trade.pods("peer0-0")
    (found,) = pod["status"]["containerStatuses"]
    return dict(found)


def peers_at(address: str) -> list[int]:
    """Peer processes in the pod with this address: nobody else has it."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            command = (process / "cmdline").read_bytes()
            routes = (process / "net" / "fib_trie").read_text()
            if b"\0node\0start\0" in command and f"|-- {address}\n" in routes:
                found.append(int(process.name))
    return found


def test_a_peer_that_is_killed_during_init_runs_it_again_and_once_only_for_the_ledger(
    trade: Operated, builds: BuildGate, waiting: Gate
) -> None:
    builds.open()
    height = trade.height()
    gated(trade, waiting, "felled")
    waiting.asked(within=WITHIN)
    kill_peer(trade)
    waiting.open()
    waiting.asked(within=WITHIN)
    trade.ready(KIND, "felled", within=WITHIN)
    assert (trade.height(), writes(trade, "felled")) == (height + 1, 1)


def test_a_peer_that_is_killed_during_an_invoke_loses_that_one_and_answers_the_next(
    trade: Operated, builds: BuildGate, waiting: Gate, say: Say
) -> None:
    builds.open()
    waiting.open()
    gated(trade, waiting, "tripped")
    trade.ready(KIND, "tripped", within=WITHIN)
    waiting.asked(within=10)
    waiting.shut()
    height = trade.height()
    lost: list[ClientError] = []

    def invoke() -> None:
        try:
            trade.invoke("tripped", "transfer", "a", "b", "10")
        except ClientError as error:
            lost.append(error)

    thread = threading.Thread(target=invoke, name="the invoke that is lost")
    thread.start()
    waiting.asked(within=60)
    kill_peer(trade)
    waiting.open()
    thread.join(60)
    assert lost, "the invoke was answered by a peer that was killed during it"
    wait_until(lambda: peer_container(trade)["ready"], within=120, what="a peer that is ready")
    begun = time.monotonic()
    wait_until(lambda: transfers(trade), within=60, what="an invoke")
    say(f"the first invoke succeeded {time.monotonic() - begun:.1f} s after the peer was ready")
    assert (trade.height(), writes(trade, "tripped")) == (height + 1, 2)
    trade.ready(KIND, "tripped")


def transfers(trade: Operated) -> bool:
    """Whether an invoke that is not awaited at the gate succeeds."""
    try:
        trade.invoke("tripped", "transfer", "a", "b", "10")
    except ClientError:
        return False
    return True
