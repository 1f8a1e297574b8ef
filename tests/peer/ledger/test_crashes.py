"""Killed at any moment, a ledger comes back whole and with everything it had acknowledged."""

from __future__ import annotations

import random
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from treadle_peer.ledger import Ledger

CHILD = Path(__file__).with_name("committing_child.py")


def start(folder: Path, seed: int, *limit: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-W", "ignore", str(CHILD), str(folder), str(seed), *limit],
        stdout=subprocess.PIPE,
        text=True,
    )


def kill_after(child: subprocess.Popen[str], commits: int, delay: float) -> int:
    """Kill -9 the child *delay* seconds after so many commits; the height it acknowledged."""
    assert child.stdout is not None
    acknowledged = 0
    with child:
        for _ in range(commits):
            acknowledged = int(child.stdout.readline())
        timer = threading.Timer(delay, child.kill)
        timer.start()
        # Ends with the child; what it said until then counts.
        for line in child.stdout:
            acknowledged = int(line) if line.endswith("\n") else acknowledged
        timer.join()
    return acknowledged


def check(folder: Path, acknowledged: int) -> int:
    ledger = Ledger.open(folder, "ch")
    assert ledger.height >= acknowledged
    assert ledger.verify() == []
    height = ledger.height
    ledger.close()
    return height


def crash_repeatedly(folder: Path, times: int) -> None:
    rng = random.Random(9)
    height = 0
    for seed in range(times):
        acknowledged = kill_after(start(folder, seed), rng.randint(1, 12), rng.uniform(0, 0.05))
        assert acknowledged >= height
        height = check(folder, acknowledged)


def test_kill_while_committing_loses_nothing_acknowledged(tmp_path: Path) -> None:
    crash_repeatedly(tmp_path / "ledger", 8)


@pytest.mark.long
def test_fifty_kills_while_committing_lose_nothing_acknowledged(tmp_path: Path) -> None:
    crash_repeatedly(tmp_path / "ledger", 50)


def test_a_full_disk_stops_commits_and_harms_nothing(tmp_path: Path) -> None:
    child = start(tmp_path / "ledger", 1, "400000")
    out, _ = child.communicate(timeout=120)
    lines = out.splitlines()
    heights = [line for line in lines if line.isdecimal()]
    refused = next(line for line in lines if line.startswith("refused"))
    then = next(line for line in lines if line.startswith("then"))
    assert "ledger: cannot write:" in refused
    assert then.startswith("then a write has failed: ")
    # The block that could not be written never counted.
    assert heights[-1] == heights[-2]
    assert check(tmp_path / "ledger", int(heights[-1])) >= int(heights[-1])
