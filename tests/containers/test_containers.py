"""Production chaincode in containers of a real engine, from install to the peer's end."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from harness.chaincodes import PEER_LANGUAGE
from harness.channels import create_channel
from harness.contained import Contained
from harness.processes import wait_until
from harness.runtimes import CHANNEL

pytestmark = [
    pytest.mark.docker,
    pytest.mark.long,
    pytest.mark.real_fabric,
    pytest.mark.timeout(1800),
]

MEBIBYTE = 1024 * 1024


@pytest.mark.parametrize("language", ["go", "node", "python"])
def test_install_instantiate_invoke_second_channel_upgrade(
    language: str, contained: Contained, fabric_bin: Path, tmp_path: Path
) -> None:
    kind = PEER_LANGUAGE[language]
    name = contained.deploy(language)
    cli = contained.cli(language)
    cli.invoke(name, "transfer", "alice", "bob", "30", channel=CHANNEL)
    assert contained.ask(name, "query", "bob")["balance"] == 50
    (first,) = contained.containers(f"{name}:1")
    assert contained.row(f"{name}:1")["owner"] == "managed"

    second = f"second{language}"
    create_channel(contained.cli(), second, tools=fabric_bin, folder=tmp_path)
    cli.instantiate(name, "1", "init", "alice", "5", channel=second, language=kind)
    assert contained.ask(name, "query", "alice", channel=second)["balance"] == 5
    assert contained.containers(f"{name}:1") == [first]

    contained.install(name, language, contained.source(name, language, version="2"), version="2")
    cli.instantiate(name, "2", "init", "carol", "7", channel=CHANNEL, verb="upgrade", language=kind)
    assert contained.ask(name, "version")["version"] == "2"
    assert contained.ask(name, "query", "carol")["balance"] == 7
    assert contained.ask(name, "query", "bob")["balance"] == 50
    assert contained.ask(name, "version", channel=second)["version"] == "1"
    assert contained.containers(f"{name}:1") == [first]
    assert len(contained.containers(f"{name}:2")) == 1


def test_a_container_has_no_rights_and_bounds_and_keeps_nothing_that_is_printed(
    contained: Contained,
) -> None:
    name = contained.deploy("go")
    found: Any = contained.inspect(f"{name}:1")
    host = found["HostConfig"]
    assert found["Config"]["User"] == "10001:10001"
    assert host["CapDrop"] == ["ALL"]
    assert host["SecurityOpt"] == ["no-new-privileges"]
    assert host["Privileged"] is False
    assert (host["Binds"], found["Mounts"]) == (None, [])
    assert host["Memory"] == host["MemorySwap"] == 2048 * MEBIBYTE
    assert host["PidsLimit"] == 1024
    assert host["LogConfig"]["Type"] == "none"
    environment = dict(entry.split("=", 1) for entry in found["Config"]["Env"])
    assert environment["CORE_CHAINCODE_ID_NAME"] == f"{name}:1"
    assert environment["CORE_PEER_TLS_ENABLED"] == "true"
    assert not [value for value in environment.values() if "PRIVATE KEY" in value]


def test_a_crash_costs_its_transaction_and_the_next_one_starts_another_container(
    contained: Contained,
) -> None:
    name = contained.deploy("go", name="crashing")
    (before,) = contained.containers(f"{name}:1")
    failed = contained.cli().invoke(name, "crash", "3", channel=CHANNEL, succeeds=False)
    assert "chaincode stream terminated" in failed.stderr
    wait_until(
        lambda: contained.logged(f"chaincode {name}:1: container exited with 3"),
        within=30,
        what="the peer's word on the exit",
    )

    assert contained.ask(name, "query", "bob")["balance"] == 20
    (after,) = contained.containers(f"{name}:1")
    assert after != before
    assert not contained.engine.containers(f"id={before}")
    assert contained.row(f"{name}:1")["restarts"] == 1


def ids(contained: Contained) -> set[str]:
    return {each["ID"] for each in contained.engine.containers()}


def break_go(folder: Path) -> str:
    (folder / "broken.go").write_text("package main\n\nfunc broken() { undefinedName() }\n")
    return "undefined: undefinedName"


def break_python(folder: Path) -> str:
    wheels = folder / "wheels"  # what a package brings; then nothing else is asked
    wheels.mkdir()
    (wheels / "none").write_text("")
    return "No matching distribution found for"


@pytest.mark.parametrize(("language", "break_it"), [("go", break_go), ("python", break_python)])
def test_what_the_toolchain_says_is_in_the_clients_error(
    language: str, break_it: Callable[[Path], str], contained: Contained
) -> None:
    name, kind = f"broken-{language}", PEER_LANGUAGE[language]
    folder = contained.source(name, language)
    said = break_it(folder)
    contained.install(name, language, folder)
    before = ids(contained)
    failed = contained.cli(language).instantiate(
        name, "1", "init", channel=CHANNEL, language=kind, succeeds=False
    )
    assert said in failed.stderr
    assert "error building image" in failed.stderr
    assert ids(contained) == before


def test_containers_end_with_the_peer_also_with_one_that_was_killed(contained: Contained) -> None:
    contained.deploy("node")
    names = sorted(contained.deployed)  # with those of the tests before
    for name in names:
        assert contained.ask(name, "query", "alice")
    peer, engine = contained.peer, contained.engine
    assert len(engine.containers()) >= len(names)
    assert peer.stop() == 0
    assert engine.containers() == []

    peer.start()
    for name in names:
        assert contained.ask(name, "query", "alice")
    assert contained.logged("Built chaincode") == 0  # what was built before is found again
    left = ids(contained)
    assert len(left) >= len(names)
    peer.kill()
    assert ids(contained) == left

    peer.start()
    assert engine.containers() == []
    for name in names:
        assert contained.ask(name, "query", "alice")
