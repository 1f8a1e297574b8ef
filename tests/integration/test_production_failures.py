"""What users see when production chaincode does not build, start, register or survive."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from harness.launched import launched_groups, launched_processes
from harness.peers import PeerProcess, Peers
from harness.processes import Started, wait_until
from harness.production import Production
from harness.runtimes import CHANNEL, wait_for_runtime

if TYPE_CHECKING:
    from .conftest import CliFactory, PeerFactory

pytestmark = [
    pytest.mark.real_fabric,
    pytest.mark.toolchain("go"),
    pytest.mark.timeout(300),
]

NEVER_REGISTERS = """package main

import "time"

func main() { time.Sleep(time.Hour) }
"""
EXITS = """package main

import (
	"fmt"
	"os"
)

func main() {
	fmt.Println("no configuration found")
	os.Exit(3)
}
"""


@pytest.fixture(scope="module")
def production(
    tmp_path_factory: pytest.TempPathFactory, fabric_cli: CliFactory
) -> Iterator[Production]:
    peers = Peers(tmp_path_factory.mktemp("failures"))
    peer = peers(extra={"CORE_CHAINCODE_STARTUPTIMEOUT": "6s"})
    yield Production(peer=peer, make_cli=fabric_cli)
    peers.end()


def small_module(folder: Path, program: str) -> Path:
    """A Go module of one file, built in a second."""
    folder.mkdir()
    (folder / "go.mod").write_text("module example.com/small\n\ngo 1.21\n")
    (folder / "main.go").write_text(program)
    return folder


def refused(production: Production, name: str) -> str:
    """What the command line prints when *name* cannot be instantiated."""
    cli = production.cli()
    return cli.instantiate(name, "1", "init", channel=CHANNEL, succeeds=False).stderr


def test_compiler_errors_reach_the_command_line(production: Production) -> None:
    folder = production.source("broken", "go")
    with (folder / "contract.go").open("a") as file:
        file.write("\nvar broken = nothingOfThisName\n")
    production.install("broken", "go", folder)
    text = refused(production, "broken")
    assert "error building chaincode: error building image: go build" in text
    assert "undefined: nothingOfThisName" in text
    assert "contract.go:" in text
    row = production.row("broken:1")
    assert row["state"] == "failed"
    assert "undefined: nothingOfThisName" in row["last_error"]


def test_a_chaincode_that_never_registers_is_given_up_and_ended(
    production: Production, tmp_path: Path
) -> None:
    production.install("silent", "go", small_module(tmp_path / "silent", NEVER_REGISTERS))
    text = refused(production, "silent")
    assert "could not launch chaincode silent:1" in text
    assert "timeout expired while starting chaincode silent:1 for transaction" in text
    assert launched_groups(production.peer.data, "silent:1") == set()
    assert production.row("silent:1")["state"] == "failed"


def test_a_chaincode_that_exits_at_once_shows_its_last_words(
    production: Production, tmp_path: Path
) -> None:
    production.install("short", "go", small_module(tmp_path / "short", EXITS))
    text = refused(production, "short")
    assert "chaincode registration failed: container exited with 3" in text
    assert "no configuration found" in text


def test_an_idle_chaincode_that_was_killed_is_launched_at_the_next_transaction(
    production: Production,
) -> None:
    name = production.deploy("go")
    (group,) = launched_groups(production.peer.data, f"{name}:1")
    os.kill(group, signal.SIGKILL)
    wait_for_runtime(production.peer.addresses["operations"], f"{name}:1", "stopped")
    assert production.ask(name, "query", "bob")["balance"] == 20
    assert launched_groups(production.peer.data, f"{name}:1").isdisjoint({group})
    assert production.row(f"{name}:1")["restarts"] == 1


def test_a_crash_while_others_run_fails_exactly_those_and_loses_nothing(
    production: Production,
) -> None:
    name = production.deploy("go")
    cli = production.cli()
    sleeping = Started(
        [
            *(str(cli.binary), "chaincode", "query", "-C", CHANNEL, "-n", name),
            *("-c", json.dumps({"Args": ["sleep", "60000"]})),
        ],
        output=production.peer.folder / "sleeping.log",
        environment=cli.environment(),
    )
    try:
        wait_until(
            lambda: production.row(f"{name}:1")["in_flight"] == 1, within=30, what="one running"
        )
        cli.invoke(name, "crash", "3", channel=CHANNEL, succeeds=False)
        assert sleeping.wait(within=30) == 1
    finally:
        sleeping.stop()
    assert "chaincode stream terminated" in sleeping.text()
    cli.invoke(name, "set", "after", "crash", channel=CHANNEL)
    assert production.ask(name, "get", "after")["value"] == "crash"


@pytest.mark.long
@pytest.mark.toolchain("go")
def test_a_transaction_that_does_not_end_holds_a_stop_up_once_not_at_every_step(
    peer_process: PeerFactory, fabric_cli: CliFactory
) -> None:
    drain = 10
    peer = peer_process(extra={"CORE_TREADLE_STOP_DRAINTIMEOUT": f"{drain}s"})
    production = Production(peer=peer, make_cli=fabric_cli)
    name, cli = production.deploy("go"), production.cli()
    sleeping = Started(
        [
            *(str(cli.binary), "chaincode", "query", "-C", CHANNEL, "-n", name),
            *("-c", json.dumps({"Args": ["sleep", "60000"]})),
        ],
        output=peer.folder / "sleeping.log",
        environment=cli.environment(),
    )
    try:
        wait_until(
            lambda: production.row(f"{name}:1")["in_flight"] == 1, within=30, what="one running"
        )
        begun = time.monotonic()
        assert peer.stop() == 0
        assert drain <= time.monotonic() - begun < 2 * drain
        assert sleeping.wait(within=30) == 1
    finally:
        sleeping.stop()


@pytest.mark.toolchain("node")
@pytest.mark.parametrize("end", ["stop", "kill"])
def test_a_build_in_progress_ends_with_the_peer(
    end: str, peer_process: PeerFactory, fabric_cli: CliFactory, tmp_path: Path
) -> None:
    peer = peer_process(extra={"CORE_TREADLE_STOP_DRAINTIMEOUT": "1s"})
    production = Production(peer=peer, make_cli=fabric_cli)
    production.install("endless", "node", endless_build(tmp_path / "endless"))
    cli = production.cli("node")
    flags = ["-o", cli.orderer_address, "-C", CHANNEL, "-n", "endless", "-v", "1"]
    waiting = Started(
        [str(cli.binary), "chaincode", "instantiate", *flags, "-l", "node", "-c", '{"Args":[]}'],
        output=tmp_path / "instantiate.log",
        environment=cli.environment(),
    )
    try:
        wait_until(lambda: building(peer), within=60, what="the build running")
        ended(peer, end)
        assert waiting.wait(within=60) == 1
    finally:
        waiting.stop()
    assert launched_processes(peer.data) == []


def endless_build(folder: Path) -> Path:
    """A Node project whose install step does not end, in a process of its own."""
    folder.mkdir()
    scripts = {"start": "node index.js", "postinstall": "sleep 3600 & wait"}
    manifest = {"name": "endless", "version": "1.0.0", "scripts": scripts}
    (folder / "package.json").write_text(json.dumps(manifest))
    (folder / "index.js").write_text("")
    return folder


def building(peer: PeerProcess) -> bool:
    """Whether the endless step runs."""
    return "sleep" in [process.command for process in launched_processes(peer.data)]


def ended(peer: PeerProcess, end: str) -> None:
    """In order, or killed and started again."""
    if end == "stop":
        assert peer.stop() == 0
    else:
        peer.kill()
        peer.start()
