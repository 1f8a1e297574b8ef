"""A start on a damaged, foreign, taken or read-only folder: one clear line, nothing lost."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from harness.chains import verified
from harness.loaded_folder import LoadedFolder, goes_on
from harness.peers import PeerProcess
from harness.processes import Started
from harness.runtimes import CHANNEL
from harness.small_disk import launched_read_only, read_only, writable
from treadle_cli.ledgers import verify_ledgers
from treadle_peer.ledger import LedgerStore
from treadle_peer.order import OrderStore
from treadle_peer.storage import StorageError

pytestmark = pytest.mark.toolchain("go")

PeerFactory = Callable[..., PeerProcess]
LEDGER = Path("ledger", "channels", CHANNEL)
ORDERING = Path("ordering", "blocks")


def refusal(peer: PeerProcess) -> str:
    """The one line that a start ends with."""
    return last_line(peer.launch())


def last_line(process: Started) -> str:
    """The one line that a process ends with that cannot start."""
    assert process.wait(within=60) == 1
    lines = [line for line in process.text().splitlines() if "Traceback" in line or "Err" in line]
    assert len(lines) == 1, process.text()
    assert lines[0].startswith("Error: ")
    return lines[0]


def newest(folder: Path, pattern: str) -> Path:
    """The largest of RocksDB's numbered files, by number."""
    return max(folder.glob(pattern))


def change_byte(file: Path, at: int) -> None:
    content = bytearray(file.read_bytes())
    content[at] ^= 0x55
    file.write_bytes(content)


def damage(log: Path, part: float, *, torn: bool) -> None:
    """Change a byte of *log* or tear it, after *part* of it: 0 is in its first record."""
    at = 20 + int((log.stat().st_size - 21) * part)
    if torn:
        log.write_bytes(log.read_bytes()[:at])
    else:
        change_byte(log, at)


@pytest.mark.parametrize(
    ("folder", "part", "torn"),
    [
        pytest.param(LEDGER, 0, False, id="ledger-start"),
        pytest.param(LEDGER, 0.5, False, id="ledger-middle"),
        pytest.param(LEDGER, 0.5, True, id="ledger-middle-torn", marks=pytest.mark.long),
        pytest.param(LEDGER, 1, False, id="ledger-end", marks=pytest.mark.long),
        pytest.param(ORDERING, 0, False, id="ordering-start"),
        pytest.param(ORDERING, 0, True, id="ordering-start-torn", marks=pytest.mark.long),
        pytest.param(ORDERING, 0.5, False, id="ordering-middle"),
        pytest.param(ORDERING, 0.5, True, id="ordering-middle-torn", marks=pytest.mark.long),
        pytest.param(ORDERING, 1, False, id="ordering-end", marks=pytest.mark.long),
    ],
)
async def test_a_damaged_log_loses_nothing(
    loaded: LoadedFolder,
    peer_process: PeerFactory,
    tmp_path: Path,
    folder: Path,
    part: float,
    torn: bool,
) -> None:
    """Each of the two has what the other lost; a client hears of nothing that only one has."""
    peer = loaded.copy_to(peer_process(mode="dev", start=False))
    damage(newest(peer.data / folder / "data", "*.log"), part, torn=torn)
    copy = shutil.copytree(peer.data, tmp_path / "copy", ignore=shutil.ignore_patterns("run"))
    (report,) = verify_ledgers(copy)
    behind = any("a start takes the others from the ledger" in each for each in report.problems)
    assert len(report.problems) == behind
    if part < 1:  # the ledger may not have had the ordering's last block yet
        assert behind == (folder == ORDERING)
    peer.start()
    assert ("the ordering had lost blocks" in peer.process.text()) == behind
    await goes_on(peer, loaded.acknowledged)
    assert peer.stop() == 0
    verified(peer.data)


@pytest.mark.long
@pytest.mark.parametrize("folder", [LEDGER, ORDERING], ids=["ledger", "ordering"])
@pytest.mark.parametrize("pattern", ["*.sst", "MANIFEST-*"])
async def test_a_damaged_table_is_named_and_nothing_is_touched(
    loaded: LoadedFolder, peer_process: PeerFactory, folder: Path, pattern: str
) -> None:
    peer = loaded.copy_to(peer_process(mode="dev", start=False))
    peer.start()  # what was in the log is in tables now
    assert peer.stop() == 0
    files = sorted((peer.data / folder / "data").glob(pattern))
    sound = {file: file.read_bytes() for file in files}
    for file in files:
        for at in range(0, file.stat().st_size, 64):
            change_byte(file, at)
    told = refusal(peer)
    assert f"{peer.data / folder}: cannot " in told
    assert told.endswith("; it is damaged: restore it from a backup")
    for file, content in sound.items():
        file.write_bytes(content)
    peer.start()
    await goes_on(peer, loaded.acknowledged)


async def test_another_format_is_refused_with_the_remedy(
    loaded: LoadedFolder, peer_process: PeerFactory
) -> None:
    peer = loaded.copy_to(peer_process(mode="dev", start=False))
    for folder in (Path(), Path("ledger"), LEDGER, ORDERING):
        mark = peer.data / folder / "FORMAT"
        kind = mark.read_text().split()[1]
        mark.write_text(f"treadle {kind} 7\n")
        told = refusal(peer)
        assert str(mark.parent) in told
        assert f"{kind} format 7, but this Treadle reads format 1; run the Treadle that" in told
        mark.write_text(f"treadle {kind} 1\n")
    peer.start()
    await goes_on(peer, loaded.acknowledged)


async def test_a_second_process_is_refused_and_harms_nothing(
    loaded: LoadedFolder, peer_process: PeerFactory
) -> None:
    peer = loaded.copy_to(peer_process(mode="dev", start=False))
    peer.start()
    second = PeerProcess(folder=peer.folder, environment=peer.environment, starts=10)
    told = refusal(second)
    assert told == f"Error: {peer.data}: in use by process {peer.process.pid}; stop it first"
    with pytest.raises(StorageError, match=f"ledger: in use by process {peer.process.pid}"):
        LedgerStore.open(peer.data / "ledger")
    with pytest.raises(StorageError, match="blocks: in use by another process"):
        OrderStore(peer.data / ORDERING)
    await goes_on(peer, loaded.acknowledged)


async def test_a_read_only_folder_is_refused_and_harmed_by_nobody(
    strace: None, loaded: LoadedFolder, peer_process: PeerFactory
) -> None:
    peer = loaded.copy_to(peer_process(mode="dev", start=False))
    before = {file: file.stat().st_mtime_ns for file in peer.data.rglob("*")}
    if read_only(peer.data):
        try:
            told = refusal(peer)
        finally:
            writable(peer.data)
    else:
        told = last_line(launched_read_only(peer))
    file = f"{peer.data}/LOCK"
    assert told == (
        f"Error: {peer.data}: [Errno 30] Read-only file system: '{file}'; make it writable"
    )
    assert {file: file.stat().st_mtime_ns for file in peer.data.rglob("*")} == before
    peer.start()
    await goes_on(peer, loaded.acknowledged)
