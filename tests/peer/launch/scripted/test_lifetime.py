"""A launched process from its environment to its end, and everything that it started."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import stat
from pathlib import Path
from typing import Any

import pytest
from treadle_peer.chaincode.launch import Phase
from treadle_peer.chaincode.launch.starting import log_path
from treadle_peer.execution import ExecutionError

# Prints what it was given, then registers.
SHOWING = """
import json, sys, os
sys.path.insert(0, os.getcwd())
import dialling
print("ENV", json.dumps(dict(os.environ)), flush=True)
print("ARGV", json.dumps(sys.argv[1:]), flush=True)
print("CWD", os.getcwd(), flush=True)
dialling.main(sys.argv[1])
"""


def alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def shown(log: str, what: str) -> Any:
    (line,) = [line for line in log.splitlines() if line.startswith(f"{what} ")]
    return json.loads(line.removeprefix(f"{what} "))


async def logged(bench: Any, ccid: str, *words: str) -> str:
    """The log once it holds all *words*; it is written behind the process's back."""
    file = log_path(bench.folder / "launcher", ccid)
    async with asyncio.timeout(30):
        while True:
            log = file.read_text() if file.exists() else ""
            if all(word in log for word in words):
                return log
            await asyncio.sleep(0.01)


def limits_of(pid: int) -> dict[str, list[str]]:
    lines = Path(f"/proc/{pid}/limits").read_text().splitlines()
    return {line[:26].strip(): line[26:].split()[:2] for line in lines}


async def launch_showing(scripted: Any, dialler: str, **options: Any) -> tuple[Any, str]:
    bench, _ = await scripted(**options)
    source = bench.folder / "showing"
    source.mkdir()
    (source / "dialling.py").write_text(dialler)
    (source / "chaincode.py").write_text(SHOWING)
    ccid = bench.install(source, language="python", version="2.0")
    await bench.launch(ccid)
    return bench, ccid


async def test_environment_is_fabrics_and_holds_paths_but_no_keys(
    scripted: Any, dialler: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CORE_PEER_SECRET_OF_THE_PEER", "do not tell")
    bench, ccid = await launch_showing(scripted, dialler)
    log = await logged(bench, ccid, "CWD")
    environment = shown(log, "ENV")
    fabric = {name for name in environment if name.startswith(("CORE_", "CHAINCODE_"))}
    assert fabric == {
        "CORE_CHAINCODE_ID_NAME",
        "CORE_CHAINCODE_LOGGING_FORMAT",
        "CORE_CHAINCODE_LOGGING_LEVEL",
        "CORE_CHAINCODE_LOGGING_SHIM",
        "CORE_PEER_LOCALMSPID",
        "CORE_PEER_TLS_ENABLED",
        "CORE_PEER_TLS_ROOTCERT_FILE",
        "CORE_TLS_CLIENT_CERT_FILE",
        "CORE_TLS_CLIENT_CERT_PATH",
        "CORE_TLS_CLIENT_KEY_FILE",
        "CORE_TLS_CLIENT_KEY_PATH",
    }
    assert environment["CORE_CHAINCODE_ID_NAME"] == "accounts:2.0"
    assert environment["CORE_PEER_LOCALMSPID"] == "Org1MSP"
    assert environment["CORE_PEER_TLS_ENABLED"] == "true"
    assert "PRIVATE KEY" not in log
    assert shown(log, "ARGV") == [bench.port.address]
    key = Path(environment["CORE_TLS_CLIENT_KEY_FILE"])
    for path in (key, Path(environment["CORE_TLS_CLIENT_KEY_PATH"])):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(key.parent.stat().st_mode) == 0o700
    await bench.launcher.stop(ccid)
    assert not key.parent.exists(), "the keys go with the launch"


async def test_without_tls_the_environment_names_no_files(scripted: Any, dialler: str) -> None:
    bench, ccid = await launch_showing(scripted, dialler, tls=False)
    environment = shown(await logged(bench, ccid, "CWD"), "ENV")
    assert environment["CORE_PEER_TLS_ENABLED"] == "false"
    assert not [name for name in environment if name.startswith("CORE_TLS")]


async def test_limits_hold_for_the_process(scripted: Any) -> None:
    bench, ccid = await scripted(memory_bytes=3 * 1024**3)
    await bench.launch(ccid)
    rows = limits_of(bench.launcher.status(ccid).pid)
    assert rows["Max core file size"] == ["0", "0"]
    assert rows["Max data size"] == [str(3 * 1024**3)] * 2


async def test_exit_before_registration_is_told_with_code_and_last_lines(scripted: Any) -> None:
    bench, ccid = await scripted('print("no database at \\x1b[31mdb:5432"); raise SystemExit(9)')
    await bench.launcher.launch(ccid)
    ended = await bench.exit()
    assert (ended.ccid, ended.registered) == (ccid, False)
    assert ended.sentence == (
        "container exited with 9; the last lines of its log:\nno database at db:5432"
    )
    status = bench.launcher.status(ccid)
    assert (status.phase, status.last_error) == (Phase.ENDED, ended.sentence)


async def test_exit_by_a_signal_counts_as_in_a_container(scripted: Any) -> None:
    bench, ccid = await scripted()
    await bench.launch(ccid)
    os.kill(bench.launcher.status(ccid).pid, signal.SIGKILL)
    ended = await bench.exit()
    assert ended.registered
    assert ended.sentence.startswith("container exited with 137")


STUBBORN = """
import os, signal, subprocess, sys, time
if len(sys.argv) > 2:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    print(sys.argv[2], os.getpid(), flush=True)
    time.sleep(600)
same = subprocess.Popen([sys.executable, *sys.argv, "CHILD-IN-GROUP"])
away = subprocess.Popen([sys.executable, *sys.argv, "CHILD-AWAY"], start_new_session=True)
print("PARENT", os.getpid(), flush=True)
time.sleep(600)
"""


async def test_stop_ends_children_that_ignore_sigterm_and_those_that_left_the_group(
    scripted: Any,
) -> None:
    bench, ccid = await scripted(STUBBORN, stop_grace=0.3)
    await bench.launcher.launch(ccid)
    log = await logged(bench, ccid, "PARENT", "CHILD-IN-GROUP", "CHILD-AWAY")
    pids = [int(line.split()[1]) for line in log.splitlines()]
    assert len(pids) == 3
    assert all(map(alive, pids))
    await bench.launcher.stop(ccid)
    assert not any(map(alive, pids))
    assert bench.exits.empty(), "a wanted end is no news"


async def test_children_of_a_process_that_died_are_ended_too(scripted: Any) -> None:
    bench, ccid = await scripted(STUBBORN, stop_grace=0.3)
    await bench.launcher.launch(ccid)
    log = await logged(bench, ccid, "PARENT", "CHILD-IN-GROUP", "CHILD-AWAY")
    os.kill(bench.launcher.status(ccid).pid, signal.SIGKILL)
    await bench.exit()
    assert not any(alive(int(line.split()[1])) for line in log.splitlines())


async def test_close_ends_everything_and_leaves_no_traces_of_running(scripted: Any) -> None:
    bench, ccid = await scripted()
    await bench.launch(ccid)
    pid = bench.launcher.status(ccid).pid
    await bench.launcher.close()
    assert not alive(pid)
    assert list((bench.folder / "launcher" / "running").iterdir()) == []
    assert list((bench.folder / "launcher" / "launches").iterdir()) == []


async def test_launching_again_replaces_the_process(scripted: Any) -> None:
    bench, ccid = await scripted()
    await bench.launch(ccid)
    first = bench.launcher.status(ccid).pid
    await bench.launch(ccid)
    assert not alive(first)
    assert bench.launcher.status(ccid).starts == 2


async def test_server_that_ends_before_it_listens_fails_the_launch(
    scripted: Any, script_builder: Any
) -> None:
    builder = script_builder(listens=True)
    bench, ccid = await scripted('raise SystemExit("no such module")', builder=builder)
    with pytest.raises(ExecutionError) as raised:
        await bench.launcher.launch(ccid)
    assert str(raised.value) == (
        "chaincode registration failed: container exited with 1; "
        "the last lines of its log:\nno such module"
    )


async def test_server_that_never_listens_runs_into_the_startup_timeout(
    scripted: Any, script_builder: Any
) -> None:
    builder = script_builder(listens=True)
    bench, ccid = await scripted(
        "import time; time.sleep(600)", builder=builder, startup_timeout=0.5
    )
    with pytest.raises(ExecutionError) as raised:
        await bench.launcher.launch(ccid)
    assert (
        str(raised.value) == "timeout expired while starting chaincode accounts:1 for transaction"
    )
    assert bench.launcher.status(ccid).phase is Phase.FAILED
    assert bench.launcher.status(ccid).pid == 0


async def test_unknown_package_fails_with_fabrics_text(scripted: Any) -> None:
    bench, _ = await scripted()
    with pytest.raises(ExecutionError) as raised:
        await bench.launcher.launch("nothing:1")
    text = str(raised.value)
    assert text.startswith("error building chaincode: open ")
    assert text.endswith("nothing.1: no such file or directory")


async def test_second_peer_on_the_same_folder_is_refused(make_bench: Any) -> None:
    await make_bench()
    with pytest.raises(OSError, match="is used by another running peer"):
        await make_bench()
