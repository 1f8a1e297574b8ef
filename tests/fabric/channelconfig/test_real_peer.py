"""A real Fabric 2.5.9 peer joins channels from our genesis blocks."""

from __future__ import annotations

import base64
import json
import os
import shutil
import socket
from pathlib import Path

import pytest
from harness.fabric_cli import FabricCli
from harness.processes import Started, wait_until
from treadle_fabric.wire import block_header_hash


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def answers(address: str) -> bool:
    host, _, port = address.partition(":")
    with socket.socket() as probe:
        return probe.connect_ex((host, int(port))) == 0


@pytest.fixture
def peer(network, fabric_bin: Path, fabric_sampleconfig: Path, tmp_path: Path):
    """A running peer of Org1, as its admin sees it."""
    config = tmp_path / "config"
    config.mkdir()
    shutil.copy(fabric_sampleconfig / "core.yaml", config)
    network.org1.write_msp(tmp_path / "peer", network.org1.issue_identity("peer", "peer0"))
    network.org1.write_msp(tmp_path / "admin", network.admin1)
    address = f"127.0.0.1:{free_port()}"
    chaincode = f"127.0.0.1:{free_port()}"
    environment = os.environ | {
        "FABRIC_CFG_PATH": str(config),
        "CORE_PEER_ID": "peer0",
        "CORE_PEER_LOCALMSPID": "Org1MSP",
        "CORE_PEER_MSPCONFIGPATH": str(tmp_path / "peer"),
        "CORE_PEER_FILESYSTEMPATH": str(tmp_path / "data"),
        "CORE_LEDGER_SNAPSHOTS_ROOTDIR": str(tmp_path / "snapshots"),
        "CORE_PEER_LISTENADDRESS": address,
        "CORE_PEER_ADDRESS": address,
        "CORE_PEER_GOSSIP_BOOTSTRAP": address,
        "CORE_PEER_CHAINCODELISTENADDRESS": chaincode,
        "CORE_PEER_CHAINCODEADDRESS": chaincode,
        "CORE_OPERATIONS_LISTENADDRESS": "127.0.0.1:0",
        "CORE_PEER_TLS_ENABLED": "false",
        "CORE_VM_ENDPOINT": "",
    }
    process = Started(
        [str(fabric_bin / "peer"), "node", "start", "--peer-chaincodedev"],
        output=tmp_path / "peer.log",
        environment=environment,
    )
    try:
        wait_until(lambda: answers(address), within=60, what="the peer listening")
        yield FabricCli(
            binary=fabric_bin / "peer",
            config=config,
            msp_id="Org1MSP",
            msp_folder=tmp_path / "admin",
            peer_address=address,
            orderer_address="127.0.0.1:7050",
        )
    finally:
        process.stop()


@pytest.mark.real_fabric
def test_a_real_peer_joins_our_channels(network, peer, tmp_path):
    for capability in ("V1_4_2", "V2_0", "V2_5"):
        channel = "ch-" + capability.lower().replace("_", "-")
        block = network.genesis(channel_id=channel, capability=capability)
        file = tmp_path / f"{channel}.block"
        file.write_bytes(block.SerializeToString())
        peer.run("channel", "join", "-b", str(file))
        printed = peer.run("channel", "getinfo", "-c", channel).stdout
        info = json.loads(printed.partition(":")[2])
        assert info["height"] == 1
        assert base64.b64decode(info["currentBlockHash"]) == block_header_hash(block.header)
