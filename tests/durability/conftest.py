"""Recordings of real peers, made once; what they need from the machine."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from harness.loaded_folder import LoadedFolder, loaded_folder
from harness.peers import PeerProcess, Peers
from harness.recorded_run import RecordedRun, record


@pytest.fixture(scope="session")
def strace() -> None:
    """Needs ``strace``; in CI it must be there."""
    if shutil.which("strace") is None:
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(
            "strace is not installed; install it to record what a peer does to its disk"
        )


@pytest.fixture(scope="session")
def memory_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A scratch folder in memory, where thousands of small folders cost little."""
    shared = Path("/dev/shm")
    folder = tmp_path_factory.mktemp("disks")
    if os.access(shared, os.W_OK):
        folder = shared / f"treadle-{os.getpid()}"
        folder.mkdir()
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def recorded(strace: None, tmp_path_factory: pytest.TempPathFactory) -> RecordedRun:
    """A peer from its first start on, under load, killed once and started again."""
    folder = tmp_path_factory.mktemp("recorded")
    return asyncio.run(record(folder, syncing=True, commits=12, crashes=1))


@pytest.fixture(scope="session")
def recorded_without_sync(strace: None, tmp_path_factory: pytest.TempPathFactory) -> RecordedRun:
    """The same where every sync is answered with success and does nothing."""
    folder = tmp_path_factory.mktemp("unsynced")
    return asyncio.run(record(folder, syncing=False, commits=12, crashes=0))


@pytest.fixture(scope="session")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LoadedFolder]:
    """What ``kill -9`` of a development peer under load left; copy it, and leave it alone."""
    peers = Peers(tmp_path_factory.mktemp("loaded"))
    yield asyncio.run(loaded_folder(peers(mode="dev"), number=15))
    peers.end()


@pytest.fixture
def peer_process(tmp_path: Path) -> Iterator[Callable[..., PeerProcess]]:
    """Start peers as ``harness.peers.Peers`` does; they end with the test."""
    peers = Peers(tmp_path)
    yield peers
    peers.end()


@pytest.fixture
def say(capsys: pytest.CaptureFixture[str]) -> Callable[[str], None]:
    """Show a measured figure in the test run's output."""

    def show(text: str) -> None:
        with capsys.disabled():
            print(f"\n    {text}", flush=True)

    return show
