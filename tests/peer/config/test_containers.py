"""Settings of the launcher ``docker``: Fabric's keys where they mean the same, and our own."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path

import pytest
from treadle_peer.config import (
    ConfigurationError,
    ContainersConfig,
    EngineFiles,
    LauncherKind,
    load_config,
)

LAUNCHER = "CORE_TREADLE_CHAINCODE_LAUNCHER"
LISTEN = "CORE_TREADLE_CHAINCODE_LAUNCHEDLISTENADDRESS"
TOLD = "CORE_TREADLE_CHAINCODE_LAUNCHEDADDRESS"
NETWORK = "CORE_VM_DOCKER_HOSTCONFIG_NETWORKMODE"
DOCKER = {LAUNCHER: "docker"}
BRIDGE = DOCKER | {NETWORK: "bridge"}


def containers(folder: Path, settings: Mapping[str, str]) -> ContainersConfig:
    loaded = load_config(DOCKER | settings, working_folder=folder).chaincode
    assert loaded.launcher is LauncherKind.DOCKER
    assert loaded.containers is not None
    return loaded.containers


def test_without_settings_it_is_the_local_engine_the_hosts_network_and_our_images(
    tmp_path: Path,
) -> None:
    found = containers(tmp_path, {})
    assert found.endpoint == "unix:///var/run/docker.sock"
    assert (found.network, found.memory_bytes, found.processes) == ("host", 1 << 31, 1024)
    assert found.tls is None
    tag = version("treadle")
    for language in ("golang", "node", "java", "python"):
        assert found.builders[language] == f"treadle/builder-{language}:{tag}"
        assert found.runtimes[language] == f"treadle/runtime-{language}:{tag}"


def test_other_launchers_have_no_containers(tmp_path: Path) -> None:
    told = {"CORE_VM_ENDPOINT": "nonsense"}
    assert load_config(told, working_folder=tmp_path).chaincode.containers is None


def test_fabrics_keys_are_taken(tmp_path: Path) -> None:
    (tmp_path / "core.yaml").write_text(
        """
vm:
  endpoint: http://localhost:2375
  docker:
    hostConfig:
      NetworkMode: chaincodes
      Memory: 4294967296
      CpuShares: 512
      CpuQuota: 50000
      CpuPeriod: 100000
      CgroupParent: /chaincodes
      Dns: [192.168.0.1]
      DnsSearch: [example.com]
      ExtraHosts: ["peer0:10.0.0.1"]
chaincode:
  builder: $(DOCKER_NS)/fabric-ccenv:$(TWO_DIGIT_VERSION)
  golang: {runtime: $(DOCKER_NS)/fabric-baseos:$(PROJECT_VERSION)}
  java: {runtime: my/java}
  node: {runtime: my/node:18}
treadle:
  chaincode:
    launchedListenAddress: 10.0.0.1:0
    docker: {pidsLimit: 50, maxOutputBytes: 1000}
"""
    )
    told = {"FABRIC_CFG_PATH": str(tmp_path)}
    found = containers(tmp_path, told)
    assert found.endpoint == "http://localhost:2375"
    assert (found.network, found.memory_bytes) == ("chaincodes", 1 << 32)
    assert (found.cpu_shares, found.cpu_quota, found.cpu_period) == (512, 50000, 100000)
    assert found.cgroup_parent == "/chaincodes"
    assert found.name_servers == ("192.168.0.1",)
    assert found.search_domains == ("example.com",)
    assert found.extra_hosts == ("peer0:10.0.0.1",)
    assert (found.processes, found.most_output_bytes) == (50, 1000)
    assert found.builders["golang"] == "hyperledger/fabric-ccenv:2.5"
    assert found.runtimes["golang"] == "hyperledger/fabric-baseos:2.5.9"
    # Fabric's images for Java and Node build, too.
    assert found.builders["java"] == found.runtimes["java"] == "my/java"
    assert found.builders["node"] == found.runtimes["node"] == "my/node:18"
    assert found.builders["python"] == f"treadle/builder-python:{version('treadle')}"


def test_our_own_images_win_over_fabrics(tmp_path: Path) -> None:
    told = {
        "CORE_CHAINCODE_BUILDER": "theirs",
        "CORE_CHAINCODE_GOLANG_RUNTIME": "theirs",
        "CORE_TREADLE_CHAINCODE_DOCKER_BUILDERS_GOLANG": "ours",
    }
    found = containers(tmp_path, told)
    assert (found.builders["golang"], found.runtimes["golang"]) == ("ours", "theirs")


def test_an_engine_with_tls_gets_its_three_files(tmp_path: Path) -> None:
    names = {"CA": "ca.pem", "CERT": "cert.pem", "KEY": "key.pem"}
    for name in names.values():
        (tmp_path / name).write_text("pem")
    told = {f"CORE_VM_DOCKER_TLS_{key}_FILE": str(tmp_path / n) for key, n in names.items()}
    found = containers(tmp_path, told | {"CORE_VM_DOCKER_TLS_ENABLED": "true"})
    assert found.tls == EngineFiles(
        authority=tmp_path / "ca.pem",
        certificate=tmp_path / "cert.pem",
        key=tmp_path / "key.pem",
    )


@pytest.mark.parametrize("reached", [{LISTEN: "172.17.0.1:0"}, {TOLD: "peer0:7053"}])
def test_a_network_of_their_own_takes_an_address_that_containers_reach(
    tmp_path: Path, reached: dict[str, str]
) -> None:
    assert containers(tmp_path, BRIDGE | reached).network == "bridge"


@pytest.mark.parametrize(
    ("settings", "named", "remedy"),
    [
        ({"CORE_TREADLE_CHAINCODE_TLS": "false"}, "CORE_TREADLE_CHAINCODE_TLS", "write true"),
        ({"CORE_VM_ENDPOINT": "docker.sock"}, "CORE_VM_ENDPOINT", "unix:///var/run/docker.sock"),
        ({"CORE_VM_ENDPOINT": "tcp://[10"}, "CORE_VM_ENDPOINT", "unix:///var/run/docker.sock"),
        ({NETWORK: "none"}, NETWORK, "must reach its peer"),
        ({NETWORK: "bridge"}, "treadle.chaincode.launchedListenAddress", "172.17.0.1:0"),
        (
            BRIDGE | {LISTEN: "localhost:0"},
            "treadle.chaincode.launchedListenAddress",
            "do not reach it",
        ),
        (
            {"CORE_VM_ENDPOINT": "tcp://10.0.0.9:2376"},
            "treadle.chaincode.launchedListenAddress",
            "on another machine and do not reach it",
        ),
        (BRIDGE | {LISTEN: "0.0.0.0:0"}, "treadle.chaincode.launched", "do not reach it"),
        (
            BRIDGE | {LISTEN: "172.17.0.1:0", TOLD: "[::1]:7053"},
            "treadle.chaincode.launchedAddress",
            "do not reach it",
        ),
        (
            {"CORE_VM_DOCKER_TLS_ENABLED": "true"},
            "vm.docker.tls.ca.file",
            "name a PEM file",
        ),
        (
            {"CORE_VM_DOCKER_TLS_ENABLED": "true", "CORE_VM_DOCKER_TLS_CA_FILE": "/none"},
            "CORE_VM_DOCKER_TLS_CA_FILE",
            "there is no such file",
        ),
        (
            {"CORE_VM_DOCKER_HOSTCONFIG_MEMORY": "2g"},
            "CORE_VM_DOCKER_HOSTCONFIG_MEMORY",
            "whole number",
        ),
    ],
)
def test_what_cannot_work_is_named_with_a_remedy(
    tmp_path: Path, settings: dict[str, str], named: str, remedy: str
) -> None:
    with pytest.raises(ConfigurationError) as told:
        load_config(DOCKER | settings, working_folder=tmp_path)
    assert named in str(told.value)
    assert remedy in str(told.value)
