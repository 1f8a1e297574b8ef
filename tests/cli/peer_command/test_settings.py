"""What clients take from core.yaml and the environment."""

from __future__ import annotations

from pathlib import Path

import pytest
from treadle_cli.peer.errors import StartupError
from treadle_cli.peer.settings import client_settings, read_settings


def test_without_a_file_the_environment_is_enough(tmp_path: Path) -> None:
    environment = {
        "CORE_PEER_ADDRESS": "peer0:7051",
        "CORE_PEER_LOCALMSPID": "Org1MSP",
        "CORE_PEER_MSPCONFIGPATH": "msp",
        "CORE_PEER_TLS_ENABLED": "true",
        "CORE_PEER_TLS_ROOTCERT_FILE": "/tls/ca.crt",
        "CORE_PEER_CLIENT_CONNTIMEOUT": "5s",
    }
    settings = client_settings(read_settings(environment, tmp_path))
    assert settings.address == "peer0:7051"
    assert settings.msp_id == "Org1MSP"
    assert settings.msp_folder == tmp_path / "msp"
    assert settings.tls
    assert settings.root_certificate == Path("/tls/ca.crt")
    assert settings.connect_seconds == 5.0


def test_the_environment_wins_over_the_file_and_paths_start_at_the_file(tmp_path: Path) -> None:
    (tmp_path / "core.yaml").write_text(
        "peer:\n  address: file:1\n  localMspId: FromFile\n  mspConfigPath: msp\n"
        "  tls:\n    enabled: true\n    rootcert:\n      file: tls/ca.crt\n"
    )
    environment = {"FABRIC_CFG_PATH": str(tmp_path), "CORE_PEER_ADDRESS": "env:2"}
    settings = client_settings(read_settings(environment, Path("/")))
    assert (settings.address, settings.msp_id) == ("env:2", "FromFile")
    assert settings.msp_folder == tmp_path / "msp"
    assert settings.root_certificate == tmp_path / "tls/ca.crt"
    assert settings.tls


def test_fabrics_own_sample_is_accepted(fabric_sampleconfig: Path) -> None:
    if not (fabric_sampleconfig / "core.yaml").exists():
        pytest.skip("the real Fabric tools are not built; run tools/fabric-binaries.sh")
    environment = {"FABRIC_CFG_PATH": str(fabric_sampleconfig)}
    settings = client_settings(read_settings(environment, Path("/")))
    assert settings.msp_id == "SampleOrg"
    assert settings.msp_folder == fabric_sampleconfig / "msp"
    assert not settings.tls


@pytest.mark.parametrize(
    "environment",
    [{"CORE_PEER_CLIENT_CONNTIMEOUT": "soon"}, {"FABRIC_LOGGING_SPEC": "loud"}],
)
def test_a_wrong_value_is_refused(environment: dict[str, str], tmp_path: Path) -> None:
    with pytest.raises(StartupError):
        client_settings(read_settings(environment, tmp_path))


def test_a_file_that_is_no_yaml_is_refused(tmp_path: Path) -> None:
    (tmp_path / "core.yaml").write_text("peer: [")
    with pytest.raises(StartupError, match="error when reading core config file"):
        read_settings({}, tmp_path)


def test_the_development_network_of_this_folder_needs_no_settings(tmp_path: Path) -> None:
    client = tmp_path / "treadle-data" / "client"
    (client / "msp").mkdir(parents=True)
    (client / "core.yaml").write_text("peer: {address: 'here:1', localMspId: Org1MSP}")
    settings = client_settings(read_settings({}, tmp_path))
    assert (settings.address, settings.msp_id) == ("here:1", "Org1MSP")
    assert settings.msp_folder == client / "msp"
