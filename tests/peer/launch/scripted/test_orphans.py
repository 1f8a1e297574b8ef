"""A peer that was killed leaves nothing running after its next start."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from treadle_peer.chaincode.launch import proc
from treadle_peer.chaincode.launch.records import LaunchRecord, LaunchRecords

# A peer in miniature: starts one program through the same code, then waits to be killed.
PEER = """
import asyncio, os, sys
from pathlib import Path
from treadle_peer.chaincode.launch.logs import CapturedLog
from treadle_peer.chaincode.launch.processes import Program, start_program
from treadle_peer.chaincode.launch.records import LaunchRecords

async def main(folder, script):
    program = Program(
        arguments=[sys.executable, "-c", script], folder=folder, environment={"PATH": os.defpath}
    )
    log = CapturedLog(folder / "log", limit=100_000)
    running = start_program(
        program, purpose="test", log=log, records=LaunchRecords(folder / "running")
    )
    await running.exited()

asyncio.run(main(Path(sys.argv[1]), sys.argv[2]))
"""

# A chaincode that starts a daemon: out of its group, its parent gone.
CHAINCODE = """
import os, subprocess, sys, time
subprocess.Popen(
    [sys.executable, "-c", "import os, time; print('DAEMON', os.getpid(), flush=True); "
     "time.sleep(600)"], start_new_session=True
)
print("LEADER", os.getpid(), flush=True)
time.sleep(600)
"""


def alive(pid: int) -> bool:
    found = proc.stat_of(pid)
    return found is not None and found.alive


def wait_for(check: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not check():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def logged(log: Path) -> dict[str, int]:
    lines = log.read_text().splitlines() if log.exists() else []
    return {line.split()[0]: int(line.split()[1]) for line in lines}


def test_next_start_ends_what_a_killed_peer_left(tmp_path: Path) -> None:
    peer = subprocess.Popen([sys.executable, "-c", PEER, str(tmp_path), CHAINCODE])
    try:
        wait_for(lambda: set(logged(tmp_path / "log")) == {"LEADER", "DAEMON"})
    finally:
        peer.send_signal(signal.SIGKILL)
        peer.wait()
    pids = logged(tmp_path / "log")
    wait_for(lambda: not alive(pids["LEADER"]))  # the kernel ends it with its parent
    assert alive(pids["DAEMON"]), "what left the group outlives the peer"
    records = LaunchRecords(tmp_path / "running")
    (reaped,) = records.reap()
    assert reaped.purpose == "test"
    assert not alive(pids["DAEMON"])
    assert list((tmp_path / "running").iterdir()) == []


def test_process_that_got_the_id_of_a_launched_one_is_left_alone(tmp_path: Path) -> None:
    innocent = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    try:
        records = LaunchRecords(tmp_path)
        found = proc.stat_of(innocent.pid)
        assert found is not None
        stale = LaunchRecord(
            token="0" * 32, purpose="old", boot=proc.boot_id(), pid=innocent.pid, started=1
        )
        records._write(stale)
        assert records.reap() == []
        assert alive(innocent.pid)
    finally:
        innocent.kill()
        innocent.wait()


def test_records_of_another_boot_mean_nothing(tmp_path: Path) -> None:
    own = proc.stat_of(os.getpid())
    assert own is not None
    records = LaunchRecords(tmp_path)
    records._write(
        LaunchRecord(token="1" * 32, purpose="x", boot="other", pid=own.pid, started=own.started)
    )
    assert records.reap() == []
    assert list(tmp_path.iterdir()) == []


def test_unreadable_records_are_removed(tmp_path: Path) -> None:
    (tmp_path / "torn.json").write_text('{"token": ')
    assert LaunchRecords(tmp_path).reap() == []
    assert list(tmp_path.iterdir()) == []
