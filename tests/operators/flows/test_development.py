"""A Peer in mode Development: nothing is built, the developer's process is waited for and used."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from harness.chaincodes import built, start_line
from harness.nodes.machine import Machine
from harness.operating.netns import inside
from harness.operating.operated import Operated, go_files, new_operated, package_of
from harness.operating.world import secret_bytes
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


def test_a_developers_process_is_waited_for_and_its_loss_is_shown(
    trade: Operated, tmp_path: Path
) -> None:
    trade.space.create_package("asset-1.0", **package_of(go_files(), name="asset", version="1.0"))
    trade.instantiate("asset", "asset-1.0", init={"args": ["init", "a", "100"]})
    said = trade.becomes(KIND, "asset", "DeveloperNotConnected", within=60)
    assert f"treadle dev connect asset -n {trade.space.name} -- <command>" in said
    secret = secret_bytes(trade.space.get("Secret", "asset-dev"))
    assert json.loads(secret["peers.json"])[0]["tls"] is False
    assert "client.key" not in secret
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
    trade.becomes(KIND, "asset", "DeveloperNotConnected", within=60)
    assert trade.reason(KIND, "asset", "Instantiated")[0] == "True"
    assert trade.deployments() == []
