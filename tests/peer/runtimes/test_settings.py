"""Settings of the launcher ``operator``: what belongs together, and what is said when it is not."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from treadle_peer.config import ConfigurationError, LauncherKind, PeerConfig, load_config

PORT = "CORE_TREADLE_RUNTIME_LISTENADDRESS"
LAUNCHER = "CORE_TREADLE_CHAINCODE_LAUNCHER"
LISTEN = "CORE_TREADLE_CHAINCODE_LAUNCHEDLISTENADDRESS"
TOLD = "CORE_TREADLE_CHAINCODE_LAUNCHEDADDRESS"
OPERATED = {LAUNCHER: "operator", PORT: "127.0.0.1:7055"}


def load(folder: Path, settings: Mapping[str, str]) -> PeerConfig:
    return load_config(settings, working_folder=folder)


def test_without_settings_the_peer_starts_processes_and_has_no_port_for_operators(
    tmp_path: Path,
) -> None:
    config = load(tmp_path, {})
    assert config.chaincode.launcher is LauncherKind.PROCESS
    assert config.runtime.listen_address is None


def test_an_operator_gets_its_port(tmp_path: Path) -> None:
    told = {LISTEN: "0.0.0.0:7053", TOLD: "peer0-internal:7053"}
    limit = {"CORE_TREADLE_RUNTIME_MAXOUTPUTBYTES": "1000"}
    config = load(tmp_path, OPERATED | told | limit)
    assert config.chaincode.launcher is LauncherKind.OPERATOR
    assert config.chaincode.launched_listen_address == "0.0.0.0:7053"
    assert config.chaincode.launched_address == "peer0-internal:7053"
    assert (config.runtime.listen_address, config.runtime.tls.enabled) == ("127.0.0.1:7055", False)
    assert config.runtime.most_output_bytes == 1000


def test_given_files_are_taken(tmp_path: Path) -> None:
    names = {"CERT_FILE": "a.crt", "KEY_FILE": "a.key", "CLIENTROOTCAS_FILES": "ca.crt"}
    for name in names.values():
        (tmp_path / name).write_text("pem")
    files = {f"CORE_TREADLE_RUNTIME_TLS_{key}": str(tmp_path / n) for key, n in names.items()}
    tls = load(tmp_path, OPERATED | files).runtime.tls
    assert (tls.enabled, tls.client_auth_required) == (True, True)
    assert tls.certificate == tmp_path / "a.crt"
    assert tls.client_roots == (tmp_path / "ca.crt",)


@pytest.mark.parametrize(
    ("settings", "named", "remedy"),
    [
        ({LAUNCHER: "podman"}, LAUNCHER, "write process or docker or operator"),
        ({LAUNCHER: "operator"}, "treadle.runtime.listenAddress", "for example 0.0.0.0:7055"),
        ({PORT: "127.0.0.1:7055"}, PORT, "write operator in treadle.chaincode.launcher"),
        (
            OPERATED | {"CORE_TREADLE_CHAINCODE_TLS": "false"},
            "CORE_TREADLE_CHAINCODE_TLS",
            "needs TLS",
        ),
        (
            OPERATED | {LISTEN: "0.0.0.0:0"},
            "treadle.chaincode.launchedAddress",
            "by which chaincodes reach this peer",
        ),
        (OPERATED | {TOLD: "0.0.0.0:7053"}, TOLD, "by which chaincodes reach this peer"),
        (
            OPERATED | {"CORE_TREADLE_RUNTIME_TLS_CERT_FILE": "/none"},
            "CORE_TREADLE_RUNTIME_TLS_CERT_FILE",
            "there is no such file",
        ),
        (
            OPERATED | {"CORE_TREADLE_RUNTIME_MAXOUTPUTBYTES": "0"},
            "CORE_TREADLE_RUNTIME_MAXOUTPUTBYTES",
            "at least 1",
        ),
    ],
)
def test_what_does_not_fit_together_is_named_with_a_remedy(
    tmp_path: Path, settings: dict[str, str], named: str, remedy: str
) -> None:
    with pytest.raises(ConfigurationError) as told:
        load(tmp_path, settings)
    assert named in str(told.value)
    assert remedy in str(told.value)
