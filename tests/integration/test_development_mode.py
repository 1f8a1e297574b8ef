"""Development mode: the developer owns the process; the real command line drives the peer."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from harness.chaincodes import (
    PEER_LANGUAGE,
    build,
    built,
    copy_sources,
    edit_version,
    sources,
)
from harness.fabric_cli import FabricCli
from harness.processes import Started
from harness.runtimes import CHANNEL, wait_for_runtime

if TYPE_CHECKING:
    from .conftest import CliFactory, PeerFactory

ByHand = Callable[..., Started]

pytestmark = [pytest.mark.real_fabric, pytest.mark.timeout(900)]

DIALLING = [
    pytest.param("go", marks=pytest.mark.toolchain("go")),
    pytest.param("node", marks=pytest.mark.toolchain("node")),
    pytest.param("java", marks=pytest.mark.toolchain("java")),
]
INIT = ("init", "alice", "100", "bob", "20")


def install(cli: FabricCli, language: str, version: str = "1") -> None:
    folder = sources(language)
    cli.install("accounts", version, str(folder), language=PEER_LANGUAGE[language], cwd=folder)


def walk_through(cli: FabricCli, language: str) -> None:
    """Instantiate, invoke and query, as the tutorial does."""
    kind = PEER_LANGUAGE[language]
    cli.instantiate("accounts", "1", *INIT, channel=CHANNEL, language=kind)
    cli.invoke("accounts", "transfer", "alice", "bob", "30", channel=CHANNEL)
    assert json.loads(cli.query("accounts", "query", "bob", channel=CHANNEL)) == {
        "account": "bob",
        "balance": 50,
    }


@pytest.mark.parametrize("language", DIALLING)
def test_the_documented_start_line_works_after_install(
    language: str, peer_process: PeerFactory, fabric_cli: CliFactory, by_hand: ByHand
) -> None:
    peer = peer_process(mode="dev")
    cli = fabric_cli(peer)
    install(cli, language)
    by_hand(language, built(language), ccid="accounts:1", address=peer.addresses["chaincode"])
    wait_for_runtime(peer.addresses["operations"], "accounts:1", "registered")
    walk_through(cli, language)


@pytest.mark.parametrize("language", DIALLING)
def test_the_documented_start_line_works_before_install(
    language: str, peer_process: PeerFactory, fabric_cli: CliFactory, by_hand: ByHand
) -> None:
    peer = peer_process(mode="dev")
    cli = fabric_cli(peer)
    by_hand(language, built(language), ccid="accounts:1", address=peer.addresses["chaincode"])
    wait_for_runtime(peer.addresses["operations"], "accounts:1", "waiting for install")
    install(cli, language)
    walk_through(cli, language)


@pytest.fixture
def python_by_hand(tmp_path: Path) -> Iterator[Callable[..., Started]]:
    """The Python shim only listens, so the bridge joins it to the peer."""
    started: list[Started] = []

    def start(folder: Path, *, ccid: str, address: str) -> Started:
        settings = {"CHAINCODE_ID": ccid, "CHAINCODE_SERVER_ADDRESS": "127.0.0.1:27059"}
        chaincode = Started(
            [str(folder / ".venv/bin/python"), "chaincode.py"],
            output=tmp_path / "chaincode.log",
            environment=os.environ | settings,
            cwd=folder,
        )
        flags = ["--peer", address, "--chaincode", "127.0.0.1:27059", "--id", ccid]
        bridge = Started(
            [sys.executable, "-m", "treadle_cli.main", "bridge", *flags],
            output=tmp_path / "bridge.log",
        )
        started.extend([bridge, chaincode])
        return chaincode

    yield start
    for process in started:
        process.stop()


def test_a_python_chaincode_is_joined_by_the_bridge(
    peer_process: PeerFactory, fabric_cli: CliFactory, python_by_hand: Callable[..., Started]
) -> None:
    peer = peer_process(mode="dev")
    # The real command line knows no Python: its package says Go, and in development mode
    # nothing is built from it.
    cli = fabric_cli(peer)
    install(cli, "go")
    python_by_hand(built("python"), ccid="accounts:1", address=peer.addresses["chaincode"])
    wait_for_runtime(peer.addresses["operations"], "accounts:1", "registered")
    walk_through(cli, "go")


@pytest.mark.toolchain("go")
def test_editing_the_code_and_restarting_the_process_is_all_it_takes(
    peer_process: PeerFactory, fabric_cli: CliFactory, by_hand: ByHand, tmp_path: Path
) -> None:
    peer = peer_process(mode="dev")
    cli = fabric_cli(peer)
    folder = copy_sources("go", tmp_path / "mine")
    build("go", folder)
    install(cli, "go")
    address = peer.addresses["chaincode"]
    first = by_hand("go", folder, ccid="accounts:1", address=address)
    wait_for_runtime(peer.addresses["operations"], "accounts:1", "registered")
    walk_through(cli, "go")
    assert json.loads(cli.query("accounts", "version", channel=CHANNEL))["version"] == "1"

    edit_version(folder, "go", "2")
    build("go", folder)
    first.stop()
    by_hand("go", folder, ccid="accounts:1", address=address)
    wait_for_runtime(peer.addresses["operations"], "accounts:1", "registered")

    assert json.loads(cli.query("accounts", "version", channel=CHANNEL))["version"] == "2"
    assert json.loads(cli.query("accounts", "query", "bob", channel=CHANNEL))["balance"] == 50


@pytest.mark.toolchain("go")
def test_a_newer_process_replaces_the_older_one_and_tells_it_why(
    peer_process: PeerFactory, fabric_cli: CliFactory, by_hand: ByHand
) -> None:
    peer = peer_process(mode="dev")
    install(fabric_cli(peer), "go")
    address = peer.addresses["chaincode"]
    older = by_hand("go", built("go"), ccid="accounts:1", address=address)
    wait_for_runtime(peer.addresses["operations"], "accounts:1", "registered")
    by_hand("go", built("go"), ccid="accounts:1", address=address)
    older.wait(within=30)
    assert "replaced by" in older.text()
    walk_through(fabric_cli(peer), "go")


@pytest.mark.toolchain("go")
def test_without_a_process_the_error_is_the_line_to_type(
    peer_process: PeerFactory, fabric_cli: CliFactory
) -> None:
    peer = peer_process(mode="dev")
    cli = fabric_cli(peer)
    install(cli, "go")
    refused = cli.instantiate("accounts", "1", *INIT, channel=CHANNEL, succeeds=False)
    assert "could not launch chaincode accounts:1" in refused.stderr
    assert "CORE_CHAINCODE_ID_NAME=accounts:1" in refused.stderr
    assert f"-peer.address {peer.addresses['chaincode']}" in refused.stderr


@pytest.mark.toolchain("go")
@pytest.mark.toolchain("node")
def test_an_upgrade_needs_the_process_of_the_new_version(
    peer_process: PeerFactory, fabric_cli: CliFactory, by_hand: ByHand
) -> None:
    peer = peer_process(mode="dev")
    cli = fabric_cli(peer)
    install(cli, "go")
    install(cli, "go", version="2")
    address = peer.addresses["chaincode"]
    by_hand("go", built("go"), ccid="accounts:1", address=address)
    wait_for_runtime(peer.addresses["operations"], "accounts:1", "registered")
    walk_through(cli, "go")
    by_hand("node", built("node"), ccid="accounts:2", address=address)
    wait_for_runtime(peer.addresses["operations"], "accounts:2", "registered")
    cli.instantiate("accounts", "2", "init", "carol", "7", channel=CHANNEL, verb="upgrade")
    assert json.loads(cli.query("accounts", "query", "carol", channel=CHANNEL))["balance"] == 7
    assert json.loads(cli.query("accounts", "query", "bob", channel=CHANNEL))["balance"] == 50


def test_a_package_made_without_code_is_enough(
    peer_process: PeerFactory, fabric_cli: CliFactory, tmp_path: Path
) -> None:
    peer = peer_process(mode="dev")
    cli = fabric_cli(peer)
    folder = shutil.copytree(sources("go"), tmp_path / "go")
    package = tmp_path / "accounts.cds"
    flags = ["-n", "accounts", "-v", "1", "-p", str(folder)]
    cli.run("chaincode", "package", *flags, str(package), cwd=folder)
    cli.run("chaincode", "install", str(package))
    listed = cli.run("chaincode", "list", "--installed").stdout
    assert "Name: accounts, Version: 1" in listed


@pytest.mark.parametrize("language", DIALLING)
def test_with_tls_the_printed_line_carries_the_development_certificate(
    language: str, peer_process: PeerFactory, fabric_cli: CliFactory, by_hand: ByHand
) -> None:
    peer = peer_process(mode="dev", tls=True)
    cli = fabric_cli(peer)
    install(cli, language)
    refused = cli.instantiate("accounts", "1", *INIT, channel=CHANNEL, succeeds=False)
    line = refused.stderr.split("start yours with: ", 1)[1].split()
    settings = dict(word.split("=", 1) for word in line if "=" in word)
    assert settings["CORE_PEER_TLS_ENABLED"] == "true"

    by_hand(
        *(language, built(language)),
        ccid="accounts:1",
        address=peer.addresses["chaincode"],
        settings=settings,
    )
    wait_for_runtime(peer.addresses["operations"], "accounts:1")
    walk_through(cli, language)


@pytest.mark.toolchain("go")
def test_with_tls_the_plaintext_start_line_is_answered_with_the_right_one(
    peer_process: PeerFactory, by_hand: ByHand
) -> None:
    peer = peer_process(mode="dev", tls=True)
    address = peer.addresses["chaincode"]
    process = by_hand("go", built("go"), ccid="accounts:1", address=address)
    assert process.wait(within=30) != 0
    assert "code = PermissionDenied" in process.text()
    assert "chaincode accounts:1 came without the development certificate" in process.text()
    assert "start yours with: CORE_CHAINCODE_ID_NAME=accounts:1 CORE_PEER_TLS_ENABLED=true" in (
        process.text()
    )
