"""``treadle dev connect`` to a peer of this machine: real peer, real shims, real signals."""

from __future__ import annotations

import json
import os
import signal
import socket
from collections.abc import Callable
from pathlib import Path

import pytest
from harness.chaincodes import newer
from harness.developing import DevelopmentPeer, called, child_of, example, gone
from harness.processes import Started, wait_until
from harness.real_peer import free_port

Connecting = Callable[..., Started]
NOBODY = "127.0.0.1:1"
EXITS = {"exit 7": 7, "exit 0": 0, "kill -9 $$": 128 + 9}


@pytest.mark.parametrize(
    "language",
    [
        pytest.param("go", marks=pytest.mark.toolchain("go")),
        pytest.param("node", marks=pytest.mark.toolchain("node")),
        pytest.param("java", marks=[pytest.mark.toolchain("java"), pytest.mark.long]),
        "python",
    ],
)
def test_the_command_serves_its_chaincode_without_any_setting_of_the_developers(
    language: str, development_peer: DevelopmentPeer, connected: Connecting
) -> None:
    folder, command = example(language)
    name = f"connect-{language}"
    process = connected(development_peer, name, *command, options=["-v"], folder=folder)
    development_peer.deploy(name)
    assert development_peer.ask(name, "query", "a") == {"account": "a", "balance": 7}
    process.wait_for_text(f"{name}:1 is served to {development_peer.chaincode}", within=60)
    process.wait_for_text("query  200  ", within=60)
    assert "mychannel  Init  200  " in process.text()


@pytest.mark.toolchain("node")
def test_a_saved_file_is_served_within_the_same_command(
    development_peer: DevelopmentPeer, connected: Connecting, tmp_path: Path
) -> None:
    folder = newer("node", tmp_path / "mine", "1.5")
    _, command = example("node")
    process = connected(
        development_peer, "reload", *command, options=["--watch", "."], folder=folder
    )
    development_peer.deploy("reload")
    development_peer.until_version("reload", "1.5")
    contract = folder / "lib" / "contract.js"
    contract.write_text(contract.read_text().replace("'1.5'", "'2'"))
    development_peer.until_version("reload", "2")
    assert "contract.js has changed: starting again" in process.text()
    assert process.running()


@pytest.mark.long
@pytest.mark.toolchain("go")
def test_the_process_lives_on_while_its_peer_crashes_and_comes_back(
    development_peer: DevelopmentPeer, connected: Connecting
) -> None:
    folder, command = example("go")
    process = connected(development_peer, "restart", *command, folder=folder)
    development_peer.deploy("restart")
    pid = child_of(process)
    for end in (development_peer.process.kill, development_peer.process.stop):
        end()
        development_peer.process.start()
        development_peer.served("restart")
        assert development_peer.ask("restart", "version")["version"] == "1"
    assert child_of(process) == pid
    assert process.text().count("restart:1 is served to") == 3


@pytest.mark.long
@pytest.mark.toolchain("go")
def test_two_developers_replace_each_other_only_when_they_mean_to(
    development_peer: DevelopmentPeer, connected: Connecting
) -> None:
    folder, command = example("go")

    def of(user: str, *options: str) -> Started:
        told = {"options": options, "folder": folder, "user": user}
        return connected(development_peer, "replaced", *command, **told)

    first = of("ada")
    development_peer.deploy("replaced")
    child = child_of(first)
    second = of("bob")
    assert first.wait(within=60) == 3
    assert f"treadle: {development_peer.chaincode}: replaced by bob@" in first.text()
    assert "the same command with --take takes it back" in first.text()
    assert gone(child)
    again = of("ada")
    assert again.wait(within=60) == 3
    assert "replaced by bob@" in again.text()
    assert second.running()
    of("ada", "--take")
    assert second.wait(within=60) == 3
    assert "replaced by ada@" in second.text()
    assert development_peer.ask("replaced", "version")["version"] == "1"


@pytest.mark.long
@pytest.mark.toolchain("go")
def test_killing_the_bridge_leaves_nothing_behind_and_the_next_one_serves(
    development_peer: DevelopmentPeer, connected: Connecting
) -> None:
    folder, command = example("go")
    first = connected(development_peer, "killed", *command, folder=folder)
    development_peer.deploy("killed")
    child = child_of(first)
    first.kill()
    wait_until(lambda: gone(child), within=60, what="the command ending with the bridge")
    connected(development_peer, "killed", *command, folder=folder)
    development_peer.until_version("killed", "1")


def test_a_command_that_hears_nothing_of_its_bridge_ends_with_it(
    connected: Connecting, tmp_path: Path
) -> None:
    process = connected(NOBODY, "deaf", "sh", "-c", "exec sleep 300")
    child = child_of(process)
    wait_until(lambda: called(child) == "sleep", within=60, what="the command running")
    process.kill()
    wait_until(lambda: gone(child), within=60, what="the command ending with the bridge")


def test_the_commands_exit_code_is_passed_on(connected: Connecting) -> None:
    runs = {connected(NOBODY, "code", "sh", "-c", how): code for how, code in EXITS.items()}
    for process, code in runs.items():
        assert process.wait(within=60) == code


def test_the_command_finds_address_and_names_where_shims_look(connected: Connecting) -> None:
    script = "import json,os,sys; print(json.dumps([sys.argv[1:], dict(os.environ)]))"
    process = connected(
        NOBODY, "told", "python3", "-c", script, "at={address}",
        options=["--language", "golang", "--mspid", "Org7MSP"],
    )  # fmt: skip
    assert process.wait(within=60) == 0
    [argument], environment = json.loads(process.text())
    assert argument == f"at={environment['CORE_PEER_ADDRESS']}"
    assert argument.startswith("at=127.0.0.1:")
    assert environment["CORE_CHAINCODE_ID_NAME"] == "told:1"
    assert environment["CORE_ID_CHAINCODE_NAME"] == "told:1"
    assert environment["CORE_PEER_TLS_ENABLED"] == "false"
    assert environment["CORE_PEER_LOCALMSPID"] == "Org7MSP"


@pytest.mark.parametrize(
    ("number", "code"),
    [
        (signal.SIGINT, 130),
        pytest.param(signal.SIGTERM, 143, marks=pytest.mark.long),
        pytest.param(signal.SIGHUP, 129, marks=pytest.mark.long),
    ],
)
def test_a_signal_ends_the_command_with_all_that_it_started(
    number: signal.Signals, code: int, connected: Connecting, tmp_path: Path
) -> None:
    pids = tmp_path / "pids"
    # Neither the shell nor what it starts heeds the signals that ask.
    script = f"trap '' INT TERM HUP; sleep 300 & echo $! $$ >{pids}; wait"
    process = connected(NOBODY, "signalled", "sh", "-c", script)
    wait_until(lambda: pids.exists() and pids.read_text().strip(), within=60, what="both running")
    os.kill(process.pid, number)
    assert process.wait(within=60) == code
    for pid in pids.read_text().split():
        wait_until(lambda pid=pid: gone(int(pid)), within=30, what=f"{pid} ending")


def test_a_command_that_fails_waits_for_the_next_change(
    connected: Connecting, tmp_path: Path
) -> None:
    source = tmp_path / "code.py"
    source.write_text("raise SystemExit(5)\n")
    process = connected(NOBODY, "fails", "python3", str(source), options=["--watch", str(source)])
    process.wait_for_text("the command ended with exit code 5; waiting for a change", within=60)
    source.write_text("print('mended', flush=True); import time; time.sleep(300)\n")
    process.wait_for_text("mended", within=60)


def test_a_command_that_does_not_exist_is_one_line(connected: Connecting) -> None:
    process = connected(NOBODY, "missing", "no-such-chaincode")
    assert process.wait(within=60) == 1
    assert (
        process.text()
        == "treadle: cannot start no-such-chaincode: no such program, or not executable\n"
    )


@pytest.mark.toolchain("go")
def test_another_name_than_the_commands_is_refused_in_the_chaincodes_own_log(
    development_peer: DevelopmentPeer, connected: Connecting
) -> None:
    folder, _ = example("go")
    process = connected(
        development_peer, "named", "env", "CORE_CHAINCODE_ID_NAME=other:1", "./chaincode",
        "-peer.address", "{address}", folder=folder,
    )  # fmt: skip
    assert process.wait(within=60) == 1
    assert (
        "the chaincode calls itself 'other:1', but this bridge is for 'named:1'" in process.text()
    )


def test_a_server_that_runs_already_is_dialled(
    development_peer: DevelopmentPeer, connected: Connecting, tmp_path: Path
) -> None:
    folder, command = example("python")
    address = f"127.0.0.1:{free_port()}"
    told = {"CHAINCODE_ID": "served:1", "CHAINCODE_SERVER_ADDRESS": address}
    server = Started(command, output=tmp_path / "server", environment=os.environ | told, cwd=folder)
    try:
        process = connected(development_peer, "served", options=["--server", address])
        development_peer.deploy("served")
        assert development_peer.ask("served", "version")["version"] == "1"
        os.kill(process.pid, signal.SIGINT)
        assert process.wait(within=60) == 130
        assert server.running()
    finally:
        server.stop()


def test_the_bridge_listens_where_it_is_told(connected: Connecting) -> None:
    address = f"127.0.0.1:{free_port()}"
    process = connected(NOBODY, "told", options=["--listen", address])
    process.wait_for_text(f"waiting for told:1 at {address}\n", within=60)
    host, port = address.split(":")
    socket.create_connection((host, int(port)), timeout=10).close()


@pytest.mark.toolchain("go")
def test_a_process_that_somebody_else_starts_dials_the_bridge(
    development_peer: DevelopmentPeer, connected: Connecting, tmp_path: Path
) -> None:
    folder, command = example("go")
    process = connected(development_peer, "ide", options=["--listen", "127.0.0.1:0"])
    process.wait_for_text("waiting for ide:1 at 127.0.0.1:", within=60)
    address = process.text().split("waiting for ide:1 at ")[1].split()[0]
    environment = os.environ | {"CORE_CHAINCODE_ID_NAME": "ide:1", "CORE_PEER_TLS_ENABLED": "false"}
    started = Started(
        [*command, "-peer.address", address],
        output=tmp_path / "ide", environment=environment, cwd=folder,
    )  # fmt: skip
    try:
        process.wait_for_text(
            "does not know ide:1 yet, and lets it wait for its package", within=60
        )
        development_peer.deploy("ide")
        assert development_peer.ask("ide", "version")["version"] == "1"
    finally:
        started.stop()
    assert process.running()
