"""The lines that play prints: how to start a process, and how far everything is."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from treadle_cli.play import Mode, PeerModel
from treadle_cli.play.hints import DevelopmentFiles, start_hint
from treadle_cli.play.settings import peer_settings
from treadle_cli.play.status import State, Status, status_json, status_table
from treadle_peer.config import load_config

FILES = DevelopmentFiles(
    root=Path("/d/peer.crt"),
    certificate=Path("/d/client.pem"),
    key=Path("/d/key.pem"),
    certificate_base64=Path("/d/client.crt"),
    key_base64=Path("/d/client.key"),
)
ROW = Status(name="asset", ccid="asset:1", channel="ch", mode="Development")


def test_without_tls_the_line_is_fabrics() -> None:
    assert start_hint(ccid="a:1", language="golang", address="h:7052", files=None) == (
        "CORE_CHAINCODE_ID_NAME=a:1 CORE_PEER_TLS_ENABLED=false <chaincode> -peer.address h:7052"
    )


def test_with_tls_the_shim_gets_base64_files() -> None:
    hint = start_hint(ccid="a:1", language="node", address="h:7052", files=FILES)
    assert "CORE_TLS_CLIENT_KEY_PATH=/d/client.key " in hint
    assert hint.endswith("--peer.address h:7052")


def test_a_server_shim_needs_the_bridge_with_pem_files() -> None:
    hint = start_hint(ccid="a:1", language="python", address="h:7052", files=FILES)
    assert "CHAINCODE_SERVER_ADDRESS" in hint
    assert "treadle bridge --peer h:7052" in hint
    assert "--keyfile /d/key.pem" in hint


def test_java_reads_the_address_from_the_environment() -> None:
    hint = start_hint(ccid="a:1", language="java", address="h:7052", files=None)
    assert "CORE_PEER_ADDRESS=h:7052" in hint


def test_hints_stand_below_the_table() -> None:
    waiting = ROW.now(State.WAITING, "no process is connected", "start it")
    text = status_table([waiting])
    assert text.splitlines()[1].split() == [
        *("asset", "asset:1", "ch", "Development", "Waiting"),
        *("no", "process", "is", "connected"),
    ]
    assert text.endswith("asset:1 is yours to start:\n  start it")


def test_a_row_that_moves_on_forgets_its_message() -> None:
    assert ROW.now(State.FAILED, "why").now(State.READY) == ROW.now(State.READY)


def test_scripts_get_one_line_of_json() -> None:
    text = status_json([ROW])
    assert "\n" not in text
    assert json.loads(text)["instantiations"][0]["ccid"] == "asset:1"


@pytest.mark.parametrize("mode", list(Mode))
def test_a_peers_settings_are_a_peer_configuration(mode: Mode, tmp_path: Path) -> None:
    peer = PeerModel(
        name="p", msp_id="OrgMSP", mode=mode, execute_timeout=5.0, startup_timeout=90.0
    )
    settings = peer_settings(peer, data=tmp_path, free_ports=True)
    config = load_config(settings, working_folder=tmp_path)
    assert config.data_folder == tmp_path
    assert config.peer_id == "p"
    assert config.msp_id == "OrgMSP"
    assert config.channel == "mychannel"
    assert config.chaincode.execute_timeout == 5.0
    assert config.chaincode.startup_timeout == 90.0
    assert (config.chaincode.mode.value == "dev") is (mode is Mode.DEVELOPMENT)
    assert config.unused_keys == ()
