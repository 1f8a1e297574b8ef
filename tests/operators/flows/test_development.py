"""A Peer in mode Development: nothing is built, the developer's process is waited for and used."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from harness.chaincodes import built, start_line
from harness.nodes.machine import Machine
from harness.operating.operated import Operated, go_files, new_operated, package_of
from harness.processes import Started

pytestmark = [
    pytest.mark.kubernetes,
    pytest.mark.process_node,
    pytest.mark.toolchain("go"),
]

KIND = "ChaincodeInstantiation"
CCID = "asset:1.0"


@pytest.fixture(scope="module")
def trade(machine: Machine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Operated]:
    made = new_operated(machine)
    with made.start(tmp_path_factory.mktemp("development"), name="operator"):
        made.space.create_peer(mode="Development", tls={"enabled": False})
        made.ready("Peer", "peer0")
        yield made


def inside(address: str) -> int:
    """A process of the pod with this address: only it has it."""
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if f"|-- {address}\n" in (process / "net" / "fib_trie").read_text():
                return int(process.name)
    raise AssertionError(f"no process has the address {address}")


def test_a_developers_process_is_waited_for_and_its_loss_is_shown(
    trade: Operated, tmp_path: Path
) -> None:
    trade.space.create_package("asset-1.0", **package_of(go_files(), name="asset", version="1.0"))
    trade.instantiate("asset", "asset-1.0", init={"args": ["init", "a", "100"]})
    said = trade.becomes(KIND, "asset", "DeveloperMissing", within=60)
    assert f"CORE_CHAINCODE_ID_NAME={CCID}" in said
    assert "kubectl port-forward pod/peer0-0 7052" in said
    assert trade.deployments() == []
    (pod,) = trade.pods("peer0-0")
    process = Started(
        [
            *("nsenter", f"--target={inside(pod['status']['podIP'])}", "--net"),
            *start_line("go", built("go"), "127.0.0.1:7052", flag="-peer.address"),
        ],
        output=tmp_path / "chaincode.log",
        environment={
            **os.environ,
            "CORE_CHAINCODE_ID_NAME": CCID,
            "CORE_PEER_TLS_ENABLED": "false",
        },
    )
    try:
        trade.ready(KIND, "asset", within=60)
        status = trade.space.get(KIND, "asset")["status"]
        assert status["targets"] == [
            {"peer": "peer0", "mode": "Development", "registered": True, "initialised": True}
        ]
        kinds = {each["type"] for each in status["conditions"]}
        assert kinds == {"Ready", "Instantiated", "DeveloperConnected"}
    finally:
        process.stop()
    trade.becomes(KIND, "asset", "DeveloperMissing", within=60)
    assert trade.reason(KIND, "asset", "Instantiated")[0] == "True"
    assert trade.deployments() == []
