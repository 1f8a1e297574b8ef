"""An Init that takes longer than a minute commits once, and nobody else waits for it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from harness.nodes.machine import Machine
from harness.operating.operated import Operated, go_files, operated, package_of

pytestmark = [
    pytest.mark.kubernetes,
    pytest.mark.process_node,
    pytest.mark.toolchain("go"),
    pytest.mark.long,
]

KIND = "ChaincodeInstantiation"
BEGINS = "if len(args)%2 != 0 {"
SLOW = (BEGINS, f"sleep(stub, args[1:2])\n\t{BEGINS}")
"""Init sleeps as many milliseconds as its first account has."""


@pytest.fixture(scope="module")
def patient(machine: Machine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Operated]:
    """A peer that gives every transaction two minutes."""
    channels = [{"name": "slow"}, {"name": "quick"}]
    folder = tmp_path_factory.mktemp("patient")
    with operated(
        machine, folder, channels=channels, chaincode={"executeTimeout": "2m"}
    ) as running:
        yield running


def test_an_init_of_more_than_a_minute_commits_once_beside_others(patient: Operated) -> None:
    spec = package_of(go_files(SLOW), name="slowly", version="1.0")
    patient.space.create_package("slowly-1.0", **spec)
    patient.instantiate("slow", "slowly-1.0", channel="slow", init={"args": ["init", "a", "65000"]})
    told = patient.becomes(KIND, "slow", "Instantiating", within=240)
    assert told == "Init of slowly:1.0 on channel slow runs at Peer peer0"
    patient.instantiate("quick", "slowly-1.0", channel="quick", init={"args": ["init", "a", "1"]})
    patient.ready(KIND, "quick", within=50)
    assert patient.reason(KIND, "slow")[1] == "Instantiating"
    patient.ready(KIND, "slow", within=120)
    assert patient.height("slow") == 2
    assert patient.events(KIND, "slow").count("Instantiating") == 1
    assert "PeerUnavailable" not in patient.events(KIND, "slow")
