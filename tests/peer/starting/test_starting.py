"""What a start says about the data folder, the identity and the keys it ignores."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
from treadle_peer.config import ConfigurationError, load_config
from treadle_peer.main.folders import DataFolders
from treadle_peer.main.identity import open_identity
from treadle_peer.main.run import warn_of_unused
from treadle_peer.storage import StorageError


def test_a_data_folder_says_which_version_it_is(tmp_path: Path) -> None:
    folders = DataFolders(tmp_path / "data")
    with folders.take():
        assert (tmp_path / "data" / "FORMAT").read_text() == "treadle data 1\n"
        with pytest.raises(StorageError, match="in use by process"):
            folders.take()
    folders.take().release()


def test_a_new_disk_is_as_good_as_an_empty_folder(tmp_path: Path) -> None:
    (tmp_path / "lost+found").mkdir()
    DataFolders(tmp_path).take().release()


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("letter.txt", "dear all", "not empty and without a FORMAT file"),
        ("FORMAT", "treadle data 2\n", "data format 2, but this Treadle reads format 1"),
        ("FORMAT", "treadle ledgers 1\n", "is of kind ledgers, not data"),
    ],
)
def test_a_folder_of_another_kind_is_left_alone(
    tmp_path: Path, name: str, content: str, told: str
) -> None:
    (tmp_path / name).write_text(content)
    with pytest.raises(ConfigurationError, match=told) as refused:
        DataFolders(tmp_path).take()
    assert str(refused.value).startswith(f"configuration: peer.fileSystemPath is '{tmp_path}': ")
    assert [entry.name for entry in tmp_path.iterdir()] == [name]


def test_a_folder_that_is_no_msp_is_refused_under_its_key(tmp_path: Path) -> None:
    (tmp_path / "msp").mkdir()
    settings = {"CORE_PEER_MSPCONFIGPATH": "msp", "CORE_PEER_LOCALMSPID": "Org1MSP"}
    config = load_config(settings, working_folder=tmp_path)
    with pytest.raises(ConfigurationError) as refused:
        open_identity(config, DataFolders(config.data_folder))
    told = str(refused.value)
    assert told.startswith(f"configuration: peer.mspConfigPath is '{tmp_path / 'msp'}': it is no")
    assert "cacerts" in told


def test_ignored_keys_are_one_warning_however_many(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    warn_of_unused([*(f"peer.gossip.k{n}" for n in range(200)), "CORE_VM_ENDPOINT", "vm.docker"])
    warning, detail = caplog.records
    assert warning.levelno == logging.WARNING
    assert warning.getMessage().startswith("202 keys of Fabric mean nothing to Treadle")
    assert "ignored, in peer, vm;" in warning.getMessage()
    assert detail.levelno == logging.DEBUG
    assert "peer.gossip.k199" in detail.getMessage()
    caplog.clear()
    warn_of_unused([])
    assert not caplog.records
