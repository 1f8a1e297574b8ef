"""Data folders say what they are and belong to one process."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from treadle_peer.storage import FolderLock, Format, StorageError


def test_a_new_folder_is_marked_and_recognised(tmp_path: Path) -> None:
    folder = tmp_path / "deep" / "folder"
    Format("ledger", 1).claim(folder)
    Format("ledger", 1).claim(folder)
    assert (folder / "FORMAT").read_text() == "treadle ledger 1\n"


def test_another_version_is_refused_with_both_numbers(tmp_path: Path) -> None:
    Format("ledger", 2).claim(tmp_path)
    with pytest.raises(StorageError, match=r"ledger format 2, but this Treadle reads format 1"):
        Format("ledger", 1).claim(tmp_path)


def test_another_kind_is_refused(tmp_path: Path) -> None:
    Format("orderer", 1).claim(tmp_path)
    with pytest.raises(StorageError, match="is of kind orderer, not ledger"):
        Format("ledger", 1).claim(tmp_path)


@pytest.mark.parametrize("text", ["", "treadle ledger", "treadle ledger one", "fabric ledger 1"])
def test_an_unreadable_mark_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "FORMAT").write_text(text)
    with pytest.raises(StorageError, match="unreadable FORMAT file"):
        Format("ledger", 1).claim(tmp_path)


def test_a_folder_with_foreign_files_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("precious")
    with pytest.raises(StorageError, match="choose another one"):
        Format("ledger", 1).claim(tmp_path)
    assert [file.name for file in tmp_path.iterdir()] == ["thesis.txt"]


def test_a_mark_that_a_crash_left_half_written_does_not_matter(tmp_path: Path) -> None:
    (tmp_path / ".FORMAT.draft").write_text("tread")
    Format("ledger", 1).claim(tmp_path)
    assert (tmp_path / "FORMAT").read_text() == "treadle ledger 1\n"


def test_a_path_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="file: "):
        Format("ledger", 1).claim(tmp_path / "file")
    with pytest.raises(StorageError, match="file: "):
        FolderLock(tmp_path / "file")


def test_a_lock_is_exclusive_until_released(tmp_path: Path) -> None:
    with FolderLock(tmp_path) as lock:
        with pytest.raises(StorageError, match=r"in use by process \d+; stop it first"):
            FolderLock(tmp_path)
        lock.release()
        FolderLock(tmp_path).release()


def test_a_killed_process_releases_its_lock(tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from treadle_peer.storage import FolderLock\n"
        "lock = FolderLock(Path(sys.argv[1])); print('held', flush=True); sys.stdin.read()"
    )
    child = subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with child:
        assert child.stdout is not None
        assert child.stdout.readline() == "held\n"
        with pytest.raises(StorageError, match=f"in use by process {child.pid}"):
            FolderLock(tmp_path)
        child.kill()
    FolderLock(tmp_path).release()
