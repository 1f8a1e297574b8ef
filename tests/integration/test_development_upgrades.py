"""Upgrades in development mode: each version has a process of its own, started by hand."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from harness.chaincodes import PEER_LANGUAGE, built, newer
from harness.fabric_cli import FabricCli
from harness.processes import Started
from harness.runtimes import CHANNEL, wait_for_runtime
from harness.tutorial import install, walk_through

if TYPE_CHECKING:
    from .conftest import CliFactory, PeerFactory, PeerProcess

ByHand = Callable[..., Started]

pytestmark = [pytest.mark.real_fabric, pytest.mark.timeout(900)]

LANGUAGES = [
    pytest.param("go", marks=pytest.mark.toolchain("go")),
    pytest.param("node", marks=pytest.mark.toolchain("node")),
    pytest.param("java", marks=pytest.mark.toolchain("java")),
    "python",
]


def command(real: FabricCli, language: str) -> FabricCli:
    """The real command line; ours for Python, which the real one does not know."""
    ours = Path(sys.executable).parent / "peer"
    return replace(real, binary=ours) if language == "python" else real


def upgrade(cli: FabricCli, language: str, *, succeeds: bool = True) -> str:
    """``peer chaincode upgrade`` to version 2; what it says."""
    done = cli.instantiate(
        *("accounts", "2", "init", "carol", "7"),
        channel=CHANNEL,
        verb="upgrade",
        language=PEER_LANGUAGE[language],
        succeeds=succeeds,
    )
    return done.stdout + done.stderr


def answered(cli: FabricCli, *words: str) -> dict[str, object]:
    """What a query answers."""
    answer: dict[str, object] = json.loads(cli.query("accounts", *words, channel=CHANNEL))
    return answer


def start(by_hand: ByHand, peer: PeerProcess, language: str, folder: Path, version: str) -> None:
    """Start the process of a version, and wait until the peer knows it."""
    ccid = f"accounts:{version}"
    by_hand(language, folder, ccid=ccid, address=peer.addresses["chaincode"])
    wait_for_runtime(peer.addresses["operations"], ccid, "registered")


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_upgrade_needs_the_process_of_the_new_version(
    language: str,
    peer_process: PeerFactory,
    fabric_cli: CliFactory,
    by_hand: ByHand,
    tmp_path: Path,
) -> None:
    peer = peer_process(mode="dev")
    cli = command(fabric_cli(peer), language)
    install(cli, language)
    start(by_hand, peer, language, built(language), "1")
    walk_through(cli, language)
    install(cli, language, version="2")

    refused = upgrade(cli, language, succeeds=False)
    assert "could not launch chaincode accounts:2: no chaincode process is connected" in refused
    assert answered(cli, "version")["version"] == "1"
    assert answered(cli, "query", "bob")["balance"] == 50

    start(by_hand, peer, language, newer(language, tmp_path / "newer"), "2")
    upgrade(cli, language)
    assert answered(cli, "version")["version"] == "2"
    assert answered(cli, "query", "carol")["balance"] == 7
    assert answered(cli, "query", "bob")["balance"] == 50


@pytest.mark.toolchain("go")
@pytest.mark.toolchain("node")
def test_the_new_version_may_be_of_another_language(
    peer_process: PeerFactory, fabric_cli: CliFactory, by_hand: ByHand
) -> None:
    peer = peer_process(mode="dev")
    cli = fabric_cli(peer)
    install(cli, "go")
    start(by_hand, peer, "go", built("go"), "1")
    walk_through(cli, "go")
    install(cli, "node", version="2")
    start(by_hand, peer, "node", built("node"), "2")
    upgrade(cli, "node")
    assert answered(cli, "query", "carol")["balance"] == 7
    assert answered(cli, "query", "bob")["balance"] == 50
