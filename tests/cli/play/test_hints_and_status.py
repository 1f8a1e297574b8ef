"""The lines that play prints: how to start a process, and how far everything is."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from treadle_cli.play import Mode, PeerModel
from treadle_cli.play.settings import peer_settings
from treadle_cli.play.status import State, Status, status_json, status_table
from treadle_peer.config import load_config

ROW = Status(name="asset", ccid="asset:1", channel="ch", mode="Development")


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
