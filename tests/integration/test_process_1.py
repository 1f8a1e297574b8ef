"""A peer that is process 1, as in a container, ends when it is told to at any moment."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from harness.process_one import NAMESPACE, alone
from harness.processes import Started, wait_until

SIGTERM_CODE = 143


def slow_import(folder: Path) -> Path:
    """A folder whose ``click`` loads for ever."""
    (folder / "click.py").write_text(
        "import pathlib, time\n"
        f"pathlib.Path({str(folder / 'loading')!r}).touch()\n"
        "time.sleep(3600)\n"
    )
    return folder


def children(pid: int) -> Sequence[str]:
    return Path(f"/proc/{pid}/task/{pid}/children").read_text().split()


def test_a_peer_that_is_told_to_end_while_it_still_loads_ends_at_once(tmp_path: Path) -> None:
    if not alone():
        pytest.skip("this machine gives nobody a process 1 of its own")
    start = f"import sys; sys.path.insert(0, {str(slow_import(tmp_path))!r}); "
    start += "sys.argv[1:] = ['node', 'start']; import treadle_cli.peer_command"
    peer = Started(
        [*NAMESPACE, sys.executable, "-c", start], output=tmp_path / "output", environment={}
    )
    try:
        wait_until((tmp_path / "loading").exists, within=30, what="the peer loading")
        (first,) = children(peer.pid)
        subprocess.run(["kill", "-TERM", first], check=True)
        assert peer.wait(within=20) == SIGTERM_CODE
    finally:
        peer.stop()
