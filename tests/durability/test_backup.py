"""``treadle ledger backup``: of a peer under load and of a stopped one; a peer starts from it."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from harness.chains import verified
from harness.load import Load
from harness.loaded_folder import accounts, commits, deploy, goes_on
from harness.peers import PeerProcess
from harness.runtimes import CHANNEL
from treadle_peer.ledger import LedgerStore
from treadle_peer.main.backups import BackupError, Backups
from treadle_peer.main.folders import DataFolders
from treadle_peer.order import OrderStore

PeerFactory = Callable[..., PeerProcess]


def backup(folder: Path, target: Path, *, cwd: Path | None = None) -> tuple[int, str]:
    """Exit code and output of the command."""
    command = [sys.executable, "-m", "treadle_cli.main", "ledger", "backup", "-o", "json"]
    done = subprocess.run(
        [*command, str(folder), str(target)],
        capture_output=True,
        text=True,
        timeout=60,
        cwd=cwd,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def heights(data: Path) -> dict[str, int]:
    """What the ordering of a stopped peer holds."""
    orders = OrderStore(data / "ordering" / "blocks")
    try:
        return {name: orders.height(name) for name in orders.channels()}
    finally:
        orders.close()


@pytest.mark.toolchain("go")
async def test_a_backup_under_load_is_a_peer_that_goes_on(
    peer_process: PeerFactory, tmp_path: Path, say: Callable[[str], None]
) -> None:
    peer = peer_process(mode="dev")
    copy = peer_process("copy", mode="dev", start=False)
    copy.folder.mkdir()
    async with accounts(peer) as network:
        await deploy(peer, network)
        async with Load(network, chaincode="accounts", submitters=4) as load:
            await commits(load, 10)
            known = dict(load.acknowledged)
            code, told = await asyncio.to_thread(backup, peer.data, copy.data)
            assert code == 0, told
            assert any(file.stat().st_nlink > 1 for file in copy.data.rglob("*.sst"))
            await commits(load, 5)
            made = len(load.acknowledged)
        assert not load.interrupted
    assert heights(copy.data)[CHANNEL] >= verified(copy.data)["height"]
    copy.start()
    await goes_on(copy, known)
    assert copy.stop() == 0
    assert verified(copy.data)["height"] == heights(copy.data)[CHANNEL]
    say(f"a backup while {made} transactions committed, {len(known)} of them before it")
    assert peer.stop() == 0
    verified(peer.data)


def test_a_peer_that_is_not_running_is_backed_up_with_all_that_it_is(
    peer_process: PeerFactory, tmp_path: Path
) -> None:
    peer = peer_process()
    peer.kill()  # leaves its socket
    # Relative to where the command runs, not to where the peer ran.
    code, told = backup(peer.data, Path("copies") / "one", cwd=tmp_path)
    assert code == 0, told
    copy = peer_process("copy", start=False)
    copy.folder.mkdir()
    shutil.move(tmp_path / "copies" / "one", copy.data)
    assert json.loads(told)["channels"] == {CHANNEL: 1}
    for file in ("network/organization/ca/key.pem", "chaincode/authority/ca.key"):
        assert (copy.data / file).read_bytes() == (peer.data / file).read_bytes()
        assert (copy.data / file).stat().st_mode & 0o777 == 0o600
    copy.start()
    assert copy.stop() == 0
    # The original is as it was.
    assert verified(peer.data)["height"] == 1


def test_a_socket_in_a_deep_folder_can_be_reached(
    peer_process: PeerFactory, tmp_path: Path
) -> None:
    peer = peer_process("deep/" + "x" * 150)
    code, told = backup(peer.data, tmp_path / "copy")
    assert code == 0, told
    assert (peer.data / "run" / "control.sock").stat().st_mode & 0o777 == 0o600
    assert peer.stop() == 0
    assert not (peer.data / "run" / "control.sock").exists()


def bad_targets(folder: Path) -> dict[Path, str]:
    """Targets below *folder*, which holds ``data``, and what is said to them."""
    (folder / "taken").mkdir()
    (folder / "dangling").symlink_to("nowhere")
    (folder / "file").touch()
    return {
        folder / "taken": "taken exists already; name a folder that does not",
        folder / "dangling": "dangling exists already",
        folder / "data" / "inside": "is inside the data folder",
        folder / "file" / "below": "file: File exists",
    }


def test_a_running_peer_refuses_targets_that_cannot_be_one(peer_process: PeerFactory) -> None:
    peer = peer_process()
    for target, told in bad_targets(peer.folder).items():
        code, said = backup(peer.data, target)
        assert code == 1
        assert said.startswith("treadle: no backup was made: ")
        assert told in said
        assert len(said.splitlines()) == 1
    assert list((peer.folder / "taken").iterdir()) == []
    assert not (peer.data / "inside").exists()


def test_targets_that_cannot_be_one_are_refused(tmp_path: Path) -> None:
    opened = Opened(tmp_path / "data")
    try:
        for target, told in bad_targets(tmp_path).items():
            with pytest.raises(BackupError, match=told):
                opened.backups.make(target)
    finally:
        opened.close()
    assert sorted(os.listdir(tmp_path)) == ["dangling", "data", "file", "taken"]


def test_a_folder_that_is_no_peers_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis").mkdir()
    code, told = backup(tmp_path / "thesis", tmp_path / "copy")
    assert code == 1
    assert "thesis/FORMAT: No such file or directory" in told
    assert list(tmp_path.rglob("*")) == [tmp_path / "thesis"]


class Opened:
    """An open data folder without a peer."""

    def __init__(self, folder: Path) -> None:
        folders = DataFolders(folder)
        self.lock = folders.take()
        self.ledgers = LedgerStore.open(folders.ledger)
        self.orders = OrderStore(folders.ordering_blocks)
        self.backups = Backups(folders, ledgers=self.ledgers, orders=self.orders)

    def close(self) -> None:
        self.ledgers.close()
        self.orders.close()
        self.lock.release()


def test_a_backup_that_was_interrupted_is_refused_by_everyone(
    peer_process: PeerFactory, tmp_path: Path
) -> None:
    """The process dies when it copies a file for the third time."""
    opened = Opened(tmp_path / "data")
    opened.close()
    program = (
        "import os, sys; from pathlib import Path; from treadle_peer.main import backups\n"
        "whole, left = backups.Backups._copy_file, [1, 2]\n"
        "def dying(*told): left.pop() if left else os._exit(9); whole(*told)\n"
        "backups.Backups._copy_file = dying\n"
        "backups.back_up_stopped(Path(sys.argv[1]), Path(sys.argv[2]))"
    )
    copy = peer_process("copy", start=False)
    copy.folder.mkdir()
    child = [sys.executable, "-c", program, str(tmp_path / "data"), str(copy.data)]
    assert subprocess.run(child, check=False, timeout=60).returncode == 9
    told = f"{copy.data}: is a backup that was not finished; remove it and make another one"
    started = copy.launch()
    assert started.wait(within=60) == 1
    assert told in started.text()
    command = [sys.executable, "-m", "treadle_cli.main", "ledger", "verify", str(copy.data)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert told in done.stderr
    code, said = backup(copy.data, tmp_path / "another")
    assert code == 1
    assert told in said
    # The folder itself is as good as before.
    Opened(tmp_path / "data").close()
    assert not (tmp_path / "data" / "backup").exists()


def test_a_backup_that_fails_or_is_stopped_leaves_nothing(tmp_path: Path) -> None:
    opened = Opened(tmp_path / "data")
    try:
        opened.backups.make(tmp_path / "first")
        opened.backups.stop()
        with pytest.raises(BackupError, match="the peer stops; make the backup again"):
            opened.backups.make(tmp_path / "second")
    finally:
        opened.close()
    assert sorted(os.listdir(tmp_path)) == ["data", "first"]
    assert not (tmp_path / "data" / "backup").exists()


def test_one_backup_at_a_time(tmp_path: Path) -> None:
    opened = Opened(tmp_path / "data")
    try:
        with (
            opened.backups._making,
            pytest.raises(BackupError, match="another backup is being made; wait for it"),
        ):
            opened.backups.make(tmp_path / "copy")
    finally:
        opened.close()
    assert not (tmp_path / "copy").exists()
