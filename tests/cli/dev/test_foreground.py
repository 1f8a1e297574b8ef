"""The command's process group: all of it ends, and nothing else."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
from harness.developing import gone
from harness.processes import wait_until
from treadle_cli.dev.foreground import Foreground


@pytest.fixture
def signalled(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, bool]]:
    """Each signal to a group, and whether that still had its leader."""
    found: list[tuple[int, bool]] = []
    send = os.killpg

    def noted(group: int, number: int) -> None:
        found.append((number, Path(f"/proc/{group}").exists()))
        send(group, number)

    monkeypatch.setattr(os, "killpg", noted)
    return found


@pytest.mark.parametrize("how", ["exit 3", "wait"])
async def test_what_the_command_has_started_ends_before_its_number_can_be_anothers(
    how: str, tmp_path: Path, signalled: list[tuple[int, bool]]
) -> None:
    file = tmp_path / "pid"
    foreground = Foreground()
    with foreground.hearing():
        script = f"sleep 300 & echo $! >{file}; {how}"
        job = foreground.start(["sh", "-c", script], dict(os.environ))
        if how == "wait":
            wait_until(lambda: file.exists() and file.read_text(), within=30, what="both running")
            assert await job.end() == -15
        else:
            assert await job.ended() == 3
            assert await job.end() == 3
    wait_until(lambda: gone(int(file.read_text())), within=30, what="the other one ending")
    assert signalled
    assert all(led for _, led in signalled)


@pytest.mark.parametrize(("end", "code"), [("exit 3", 3), ("kill -KILL $$", -9)])
async def test_a_system_without_waitid_tells_the_same_of_a_command(
    end: str, code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(os, "waitid")
    file = tmp_path / "pid"
    foreground = Foreground()
    with foreground.hearing():
        script = f"sleep 300 & echo $! >{file}; kill -STOP $$; {end}"
        job = foreground.start(["sh", "-c", script], dict(os.environ))
        wait_until(lambda: state(job.pid) == "T", within=30, what="the command standing still")
        job.send(signal.SIGCONT)
        assert await job.ended() == code
    wait_until(lambda: gone(int(file.read_text())), within=30, what="the other one ending")


def state(pid: int) -> str:
    """One letter, as ps has it."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
