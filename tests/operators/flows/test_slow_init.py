"""An Init that takes longer than a minute commits once, and nobody else waits for it."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from harness.nodes.machine import Machine
from harness.operating.gates import Gate, gate, gated_files
from harness.operating.operated import Operated, operated, package_of
from harness.processes import wait_until

pytestmark = [
    pytest.mark.kubernetes,
    pytest.mark.process_node,
    pytest.mark.toolchain("go"),
    pytest.mark.long,
]

KIND = "ChaincodeInstantiation"
MINUTE = 61.0
SLOW = 'if stub.GetStringArgs()[2] == "100" {\n\t\tpass()\n\t}'
"""Init waits at the gate when its first account has 100."""


@pytest.fixture(scope="module")
def patient(machine: Machine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Operated]:
    """A peer that gives every transaction four minutes."""
    channels = [{"name": "slow"}, {"name": "quick"}]
    folder = tmp_path_factory.mktemp("patient")
    with operated(
        machine, folder, channels=channels, chaincode={"executeTimeout": "4m"}
    ) as running:
        yield running


@pytest.fixture
def waiting(machine: Machine) -> Iterator[Gate]:
    with gate(machine.node.address) as made:
        yield made


def test_an_init_of_more_than_a_minute_commits_once_beside_others(
    patient: Operated, waiting: Gate
) -> None:
    spec = package_of(gated_files(init=SLOW), name="slowly", version="1.0")
    patient.space.create_package("slowly-1.0", **spec)
    runtime = {"env": [{"name": "GATE", "value": waiting.url}]}

    def instantiate(name: str, amount: str) -> None:
        init = {"args": ["init", "a", amount]}
        patient.instantiate(name, "slowly-1.0", channel=name, init=init, runtime=runtime)

    instantiate("slow", "100")
    waiting.asked(within=240)
    begun = time.monotonic()
    told = patient.becomes(KIND, "slow", "Instantiating")
    assert told == "Init of slowly:1.0 on channel slow runs at Peer peer0"
    instantiate("quick", "1")
    patient.ready(KIND, "quick")
    assert patient.reason(KIND, "slow")[1] == "Instantiating"
    wait_until(lambda: time.monotonic() - begun > MINUTE, within=120, what="a minute of Init")
    assert patient.reason(KIND, "slow")[1] == "Instantiating"
    waiting.open()
    patient.ready(KIND, "slow", within=120)
    assert patient.height("slow") == 2
    assert patient.events(KIND, "slow").count("Instantiating") == 1
    assert "PeerUnavailable" not in patient.events(KIND, "slow")
