"""core.yaml and CORE_* become a PeerConfig, or one line that says what is wrong."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from treadle_peer.config import ChaincodeMode, ConfigurationError, load_config


def write(folder: Path, text: str) -> dict[str, str]:
    (folder / "core.yaml").write_text(text, encoding="utf-8")
    return {"FABRIC_CFG_PATH": str(folder)}


def refusal(environment: dict[str, str], folder: Path) -> str:
    with pytest.raises(ConfigurationError) as caught:
        load_config(environment, working_folder=folder)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_nothing_at_all_is_a_development_network_on_loopback(tmp_path: Path) -> None:
    config = load_config({}, working_folder=tmp_path)
    assert config.generated
    assert config.channel == "mychannel"
    assert config.channel_capability == "V1_4_2"
    assert config.data_folder == tmp_path / "treadle-data"
    assert config.listen_address == "127.0.0.1:7051"
    assert config.ordering.listen_address == "127.0.0.1:7050"
    assert config.chaincode_listen_address == "127.0.0.1:7052"
    assert config.operations.listen_address == "127.0.0.1:9443"
    assert config.chaincode.mode is ChaincodeMode.PRODUCTION


def test_chaincode_tls_is_on_in_production_and_off_in_development_without_tls(
    tmp_path: Path,
) -> None:
    assert load_config({}, working_folder=tmp_path).chaincode.tls
    development = load_config({}, working_folder=tmp_path, development=True)
    assert not development.chaincode.tls
    with_tls = {"CORE_PEER_TLS_ENABLED": "true"}
    assert load_config(with_tls, working_folder=tmp_path, development=True).chaincode.tls
    forced = {"CORE_TREADLE_CHAINCODE_TLS": "false"}
    assert not load_config(forced, working_folder=tmp_path).chaincode.tls


def test_launched_chaincode_dials_a_free_loopback_port_unless_set(tmp_path: Path) -> None:
    free = load_config({}, working_folder=tmp_path)
    assert free.chaincode.launched_listen_address == "127.0.0.1:0"
    given = {"CORE_TREADLE_CHAINCODE_LAUNCHEDLISTENADDRESS": "127.0.0.1:7053"}
    fixed = load_config(given, working_folder=tmp_path)
    assert fixed.chaincode.launched_listen_address == "127.0.0.1:7053"


def test_development_has_no_execute_timeout_unless_set(tmp_path: Path) -> None:
    assert load_config({}, working_folder=tmp_path).chaincode.execute_timeout == 30
    free = load_config({}, working_folder=tmp_path, development=True)
    assert free.chaincode.execute_timeout is None
    bound = load_config(
        {"CORE_CHAINCODE_EXECUTETIMEOUT": "45s", "CORE_CHAINCODE_MODE": "dev"},
        working_folder=tmp_path,
    )
    assert bound.chaincode.execute_timeout == 45


def test_timeouts_below_fabrics_floors_are_raised(tmp_path: Path) -> None:
    low = {"CORE_CHAINCODE_EXECUTETIMEOUT": "10ms", "CORE_CHAINCODE_STARTUPTIMEOUT": "1s"}
    chaincode = load_config(low, working_folder=tmp_path).chaincode
    assert (chaincode.execute_timeout, chaincode.startup_timeout) == (30, 5)


def test_environment_wins_over_the_file_and_case_does_not_matter(tmp_path: Path) -> None:
    environment = write(tmp_path, "PEER:\n  ID: from-file\n  networkid: net1\n")
    environment["CORE_PEER_ID"] = "from-env"
    environment["CORE_PEER_NETWORKID"] = ""  # viper takes empty for unset
    config = load_config(environment, working_folder=Path("/"))
    assert (config.peer_id, config.network_id) == ("from-env", "net1")


def test_relative_paths_start_at_the_file(tmp_path: Path) -> None:
    (tmp_path / "crypto").mkdir()
    environment = write(
        tmp_path,
        "peer: {mspConfigPath: crypto, localMspId: Org9MSP, fileSystemPath: data}\n",
    )
    config = load_config(environment, working_folder=Path("/"))
    assert config.msp_folder == tmp_path / "crypto"
    assert config.data_folder == tmp_path / "data"
    assert not config.generated
    assert config.channel is None
    assert config.organization == "Org9MSP"


def test_an_exported_client_msp_of_the_same_network_still_means_that_network(
    tmp_path: Path,
) -> None:
    exported = {"CORE_PEER_MSPCONFIGPATH": str(tmp_path / "treadle-data" / "client" / "msp")}
    assert load_config(exported, working_folder=tmp_path).generated


@pytest.mark.real_fabric
def test_core_yaml_of_fabric_2_5_is_accepted(fabric_sampleconfig: Path) -> None:
    config = load_config({"FABRIC_CFG_PATH": str(fabric_sampleconfig)}, working_folder=Path("/"))
    assert config.msp_id == "SampleOrg"
    assert config.listen_address == "0.0.0.0:7051"
    assert config.data_folder == Path("/var/hyperledger/production")
    assert "peer.gossip.bootstrap" in config.unused_keys


def test_keys_of_fabric_1_4_are_accepted(tmp_path: Path) -> None:
    environment = write(
        tmp_path,
        """
peer:
  gomaxprocs: -1
  adminService: {listenAddress: "0.0.0.0:7055"}
  gossip: {election: {startupGracePeriod: 15s}}
chaincode:
  car: {runtime: fabric-baseos}
  system: {+lifecycle: enable, cscc: enable}
  systemPlugins:
ledger:
  blockchain:
  state: {stateDatabase: goleveldb, couchDBConfig: {warmIndexesAfterNBlocks: 1}}
logging:
  format: "%{color}"
""",
    )
    config = load_config(environment, working_folder=tmp_path)
    assert "peer.gomaxprocs" in config.unused_keys
    assert "chaincode.car.runtime" in config.unused_keys


@pytest.mark.parametrize(
    ("settings", "parts"),
    [
        ({"CORE_TREADLE_CHANNEL": "MyChannel"}, ["CORE_TREADLE_CHANNEL", "begin with a small"]),
        ({"CORE_PEER_LOCALMSPID": "a b/c"}, ["CORE_PEER_LOCALMSPID", "'a b/c'", "use letters"]),
        ({"CORE_TREADLE_ORGANIZATION": "a b"}, ["CORE_TREADLE_ORGANIZATION", "use letters"]),
        ({"CORE_PEER_FILESYSTEMPATH": "file"}, ["CORE_PEER_FILESYSTEMPATH", "it is a file"]),
        ({"CORE_PEER_MSPCONFIGPATH": "none"}, ["CORE_PEER_MSPCONFIGPATH", "there is no folder"]),
    ],
)
def test_a_value_that_cannot_be_is_refused_with_key_and_remedy_before_anything_is_made(
    tmp_path: Path, settings: dict[str, str], parts: list[str]
) -> None:
    (tmp_path / "file").touch()
    told = refusal(settings, tmp_path)
    assert all(part in told for part in parts), told
    assert [entry.name for entry in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("peer: {listenAdress: 'a:1'}", ["peer.listenAdress", "a:1", "peer.listenAddress"]),
        ("peer: {gossip: {bootstrapp: x}}", ["peer.gossip.bootstrapp", "nobody defines"]),
        ("something: {else: 1}", ["something.else", "remove it"]),
        ("peer: {listenAddress: '7051'}", ["peer.listenAddress", "7051", "host:port"]),
        ("peer: {listenAddress: 'h:99999'}", ["host:port"]),
        ("chaincode: {executetimeout: 30}", ["chaincode.executetimeout", "30", "30s"]),
        ("chaincode: {mode: development}", ["chaincode.mode", "net or dev"]),
        ("peer: {tls: {enabled: maybe}}", ["peer.tls.enabled", "maybe", "true or false"]),
        (
            "ledger: {state: {stateDatabase: CouchDB}}",
            ["ledger.state.stateDatabase", "CouchDB", "goleveldb"],
        ),
        ("peer: {limits: {concurrency: {endorserService: -1}}}", ["endorserService", "at least 0"]),
        ("peer: {mspConfigPath: nowhere, localMspId: X}", ["peer.mspConfigPath", "nowhere"]),
        ("treadle: {channelCapability: V9}", ["treadle.channelCapability", "V9", "V1_4_2"]),
        ("- a list", ["core.yaml", "mapping"]),
        ("peer: [", ["core.yaml", "cannot be read"]),
    ],
)
def test_one_line_names_key_value_and_remedy(text: str, parts: list[str], tmp_path: Path) -> None:
    line = refusal(write(tmp_path, text), tmp_path)
    for part in parts:
        assert part in line


@pytest.mark.parametrize(
    ("environment", "parts"),
    [
        (
            {"CORE_PEER_FILESYSTMPATH": "/x"},
            ["CORE_PEER_FILESYSTMPATH", "CORE_PEER_FILESYSTEMPATH"],
        ),
        ({"CORE_PEER_TLS_ENABLED": "ja"}, ["CORE_PEER_TLS_ENABLED", "'ja'"]),
        ({"FABRIC_CFG_PATH": "/nonexistent"}, ["FABRIC_CFG_PATH", "core.yaml"]),
        ({"FABRIC_LOGGING_SPEC": "loud"}, ["FABRIC_LOGGING_SPEC", "loud", "chaincode=debug"]),
        ({"CORE_LEDGER_STATE_STATEDATABASE": "CouchDB"}, ["CORE_LEDGER_STATE_STATEDATABASE"]),
    ],
)
def test_wrong_variables_are_named(
    environment: dict[str, str], parts: list[str], tmp_path: Path
) -> None:
    line = refusal(environment, tmp_path)
    for part in parts:
        assert part in line


def test_variables_of_shims_and_of_strangers_are_left_alone(tmp_path: Path) -> None:
    environment = {
        "CORE_CHAINCODE_ID_NAME": "mycc:0",
        "CORE_TLS_CLIENT_KEY_PATH": "/x",
        "CORE_SERVICE_HOST": "10.0.0.1",
        "CORE_PEER_TLS_SERVERHOSTOVERRIDE": "peer0",
        "CORE_VM_DOCKER_HOSTCONFIG_MEMORY": "1",
    }
    load_config(environment, working_folder=tmp_path)


def test_tls_with_own_identity_needs_its_files(tmp_path: Path) -> None:
    (tmp_path / "msp").mkdir()
    text = "peer: {mspConfigPath: msp, localMspId: X, tls: {enabled: true, cert: {file: c.pem}}}"
    assert "there is no such file" in refusal(write(tmp_path, text), tmp_path)
    (tmp_path / "c.pem").touch()
    assert "peer.tls.key.file" in refusal(write(tmp_path, text), tmp_path)


def test_environment_lists_are_separated_by_blanks(tmp_path: Path) -> None:
    environment = {
        "CORE_PEER_TLS_CLIENTROOTCAS_FILES": f"{tmp_path}/a.pem {tmp_path}/b.pem",
    }
    config = load_config(environment, working_folder=tmp_path)
    assert [path.name for path in config.tls.client_roots] == ["a.pem", "b.pem"]


def test_an_unspecified_peer_host_becomes_a_real_one(tmp_path: Path) -> None:
    config = load_config({"CORE_PEER_ADDRESS": "0.0.0.0:7051"}, working_folder=tmp_path)
    assert not config.address.startswith("0.0.0.0")
    assert os.path.basename(config.data_folder) == "treadle-data"
