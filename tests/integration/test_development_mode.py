"""Development mode: the developer owns the process; the real command line drives the peer."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from harness.chaincodes import (
    build,
    built,
    copy_sources,
    edit_version,
)
from harness.processes import Started
from harness.runtimes import CHANNEL, wait_for_runtime
from harness.tutorial import INIT, install, walk_through
from treadle_fabric.packages import wrap_code

if TYPE_CHECKING:
    from .conftest import CliFactory, PeerFactory

ByHand = Callable[..., Started]

pytestmark = [pytest.mark.real_fabric, pytest.mark.timeout(900)]

DIALLING = [
    pytest.param("go", marks=pytest.mark.toolchain("go")),
    pytest.param("node", marks=pytest.mark.toolchain("node")),
    pytest.param("java", marks=pytest.mark.toolchain("java")),
]


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


def test_a_python_chaincode_is_joined_by_the_bridge(
    peer_process: PeerFactory, fabric_cli: CliFactory, by_hand: ByHand
) -> None:
    peer = peer_process(mode="dev")
    # The real command line knows no Python: its package says Go, and in development mode
    # nothing is built from it.
    cli = fabric_cli(peer)
    install(cli, "go")
    by_hand("python", built("python"), ccid="accounts:1", address=peer.addresses["chaincode"])
    wait_for_runtime(peer.addresses["operations"], "accounts:1", "registered")
    walk_through(cli, "go")


@pytest.mark.toolchain("java")
def test_java_also_takes_the_address_as_the_flag_that_go_takes(
    peer_process: PeerFactory, fabric_cli: CliFactory, by_hand: ByHand
) -> None:
    peer = peer_process(mode="dev")
    cli = fabric_cli(peer)
    by_hand(
        *("java", built("java")),
        ccid="accounts:1",
        address=peer.addresses["chaincode"],
        address_flag="-peer.address",
    )
    wait_for_runtime(peer.addresses["operations"], "accounts:1", "waiting for install")
    install(cli, "java")
    walk_through(cli, "java")


@pytest.mark.toolchain("go")
def test_a_package_without_code_is_enough(
    peer_process: PeerFactory, fabric_cli: CliFactory, by_hand: ByHand, tmp_path: Path
) -> None:
    peer = peer_process(mode="dev")
    cli = fabric_cli(peer)
    package = tmp_path / "accounts.cds"
    package.write_bytes(
        wrap_code(name="accounts", version="1", language="golang", path="accounts", code=b"")
    )
    cli.run("chaincode", "install", str(package))
    listed = cli.run("chaincode", "list", "--installed").stdout
    assert "Name: accounts, Version: 1" in listed
    by_hand("go", built("go"), ccid="accounts:1", address=peer.addresses["chaincode"])
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
