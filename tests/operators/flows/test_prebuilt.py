"""Chaincode that nobody builds here: an image with its own command, and a server elsewhere."""

from __future__ import annotations

import hashlib
import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from harness.chaincodes import built
from harness.nodes.images import Image, here
from harness.nodes.machine import Machine, Pods, is_ready
from harness.operating.operated import Operated
from harness.processes import wait_until
from treadle_fabric.client import ClientError

pytestmark = [pytest.mark.kubernetes, pytest.mark.process_node, pytest.mark.long]

WITHIN = 120.0
KIND = "ChaincodeInstantiation"
INIT = {"args": ["init", "a", "100", "b", "50"]}
PORT = 9999


def reference(name: str) -> str:
    return f"{name}@sha256:{hashlib.sha256(name.encode()).hexdigest()}"


def image() -> Image:
    """As its builders make it for fabric-builder-k8s: its command dials its peer."""
    folder = built("go")
    command = f"exec {folder}/chaincode -peer.address=$CORE_PEER_ADDRESS"
    return Image(folders=here(folder), command=("sh", "-c", command))


@pytest.fixture
def prebuilt(machine: Machine) -> Iterator[str]:
    """The name of an image that nodes can get."""
    name = reference("prebuilt-go")
    machine.node.images[name] = image()
    yield name
    del machine.node.images[name]


def balance(trade: Operated, chaincode: str, account: str) -> int:
    found: int = json.loads(trade.query(chaincode, "query", account))["balance"]
    return found


@pytest.mark.toolchain("go")
def test_an_image_becomes_a_chaincode_and_outlives_its_peer(trade: Operated, prebuilt: str) -> None:
    source = {"image": prebuilt}
    trade.space.create_package("imaged-1", name="imaged", language=None, source=source)
    trade.instantiate("imaged", "imaged-1", channel="mychannel", init=INIT)
    trade.ready(KIND, "imaged", within=WITHIN)
    assert not trade.space.all("Job"), "nothing was built"
    trade.invoke("imaged", "transfer", "a", "b", "10")
    (before,) = trade.pods("peer0-imaged")
    took = restart(trade, "imaged", 60)
    print(f"a restarted peer's first answer of a prebuilt image came after {took:.1f} s")
    (after,) = trade.pods("peer0-imaged")
    assert restarts(after) == restarts(before)
    assert after["metadata"]["uid"] == before["metadata"]["uid"]


def restart(trade: Operated, chaincode: str, expected: int) -> float:
    """Kill the peer's pod; seconds from its successor's readiness to an answer."""
    (old,) = trade.pods("peer0-0")
    path = trade.space.path("Pod", "peer0-0")
    trade.space.api.request("DELETE", path, {"gracePeriodSeconds": 0}).expect()

    def another() -> bool:
        found = trade.pods("peer0-0")
        replaced = bool(found) and found[0]["metadata"]["uid"] != old["metadata"]["uid"]
        return replaced and is_ready(found[0]["status"])

    wait_until(another, within=WITHIN, what="another pod")
    ready = time.monotonic()

    def answers() -> bool:
        try:
            return balance(trade, chaincode, "b") == expected
        except ClientError:
            return False

    wait_until(answers, within=60, what="an answer")
    return time.monotonic() - ready


def restarts(pod: dict[str, Any]) -> dict[str, int]:
    statuses = pod["status"]
    every = (*statuses["initContainerStatuses"], *statuses["containerStatuses"])
    return {each["name"]: each["restartCount"] for each in every}


@pytest.mark.toolchain("go")
def test_a_missing_image_is_told_and_comes_when_it_is_there(
    trade: Operated, machine: Machine
) -> None:
    name = reference("late-go")
    trade.space.create_package("late-1", name="late", language=None, source={"image": name})
    trade.instantiate("late", "late-1", channel="mychannel", init=INIT)
    told = trade.becomes(KIND, "late", "ImagePullFailed", within=WITHIN)
    assert name in told
    machine.node.images[name] = image()
    try:
        trade.ready(KIND, "late", within=WITHIN)
        assert balance(trade, "late", "b") == 50
    finally:
        del machine.node.images[name]
    trade.space.api.delete(trade.space.path(KIND, "late")).expect()


@pytest.fixture
def server(trade: Operated, machine: Machine) -> str:
    """The address of Python's example as a server, in a pod of its own."""
    folder = built("python")
    machine.node.images["served-python"] = Image(
        folders={**here(folder), **here(Path(sys.base_prefix).resolve())},
        command=(str(folder / ".venv/bin/python"), str(folder / "chaincode.py")),
    )
    env = {"CHAINCODE_ID": "served:1.0", "CHAINCODE_SERVER_ADDRESS": f"0.0.0.0:{PORT}"}
    variables = [{"name": name, "value": value} for name, value in env.items()]
    pods = Pods(machine, trade.space.name)
    pods.create(
        "elsewhere", {"containers": [{"name": "main", "image": "served-python", "env": variables}]}
    )
    ip = pods.phase("elsewhere", "Running")["status"]["podIP"]
    return f"{ip}:{PORT}"


def test_a_server_elsewhere_is_dialled_where_the_peer_allows_it(
    trade: Operated, server: str
) -> None:
    source = {"server": {"address": server, "tls": {"enabled": False}}}
    trade.space.create_package("served-1", name="served", language=None, source=source)
    told = trade.becomes("ChaincodePackage", "served-1", "ServersNotAllowed")
    assert "allowExternalServers" in told
    trade.change("Peer", "peer0", chaincode={"allowExternalServers": True})
    trade.ready("ChaincodePackage", "served-1")
    trade.instantiate("served", "served-1", channel="mychannel", init=INIT)
    trade.ready(KIND, "served", within=WITHIN)
    trade.invoke("served", "transfer", "a", "b", "10")
    assert balance(trade, "served", "b") == 60
    trade.change("Peer", "peer0", chaincode={"allowExternalServers": False})
    trade.becomes(KIND, "served", "ServersNotAllowed", within=WITHIN)
    assert not trade.pods("peer0-served")
    trade.change("Peer", "peer0", chaincode={"allowExternalServers": True})
    trade.ready(KIND, "served", within=WITHIN)
    assert balance(trade, "served", "b") == 60
