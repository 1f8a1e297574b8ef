"""The disk becomes full while a peer commits: it says so, loses nothing, and goes on after that."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from harness.chains import verified
from harness.load import Load
from harness.loaded_folder import LoadedFolder, accounts, goes_on
from harness.operations_port import get
from harness.peers import PeerProcess
from harness.processes import wait_until
from harness.runtimes import wait_for_runtime
from harness.small_disk import SmallDisk
from treadle_fabric.client import BroadcastRefused, CallFailed, ClientError
from treadle_peer.main.backups import BackupError, back_up_stopped

pytestmark = pytest.mark.toolchain("go")

PeerFactory = Callable[..., PeerProcess]
LEAVE = 60_000  # bytes that can still be written: about ten blocks
WHAT = {
    "ledger": ["channel mychannel stopped: "],
    "ordering": ["the ordering of channel mychannel"],
}


@pytest.fixture
def small_disk() -> Iterator[Callable[[Path], SmallDisk]]:
    made: list[SmallDisk] = []

    def make(folder: Path) -> SmallDisk:
        made.append(SmallDisk(folder))
        return made[-1]

    yield make
    for disk in made:
        disk.end()


async def load_until_refused(peer: PeerProcess, disk: SmallDisk) -> dict[str, int]:
    """Fill the disk under load; what was acknowledged until /healthz says that it is full."""
    async with accounts(peer, seconds=15) as network:
        await asyncio.to_thread(wait_for_runtime, peer.addresses["operations"], "accounts:1")
        load = Load(network, chaincode="accounts", submitters=3)
        async with load:
            await load.next_commit(within=30)
            disk.fill(peer, leave=LEAVE)
            try:
                while get(peer, "/healthz")[0] == 200:
                    await load.next_commit(within=20)
            except (BroadcastRefused, CallFailed, ClientError, AssertionError):
                pass  # how a client learns of it depends on who met the full disk first
        status, told = await asyncio.to_thread(get, peer, "/healthz")
        assert status == 503
        assert disk.refusal in told
        return dict(load.acknowledged)


@pytest.mark.parametrize(
    "folder",
    [
        pytest.param("", id="both"),
        pytest.param("ledger", marks=pytest.mark.long),
        pytest.param("ordering", marks=pytest.mark.long),
    ],
)
async def test_a_full_disk_loses_nothing(
    loaded: LoadedFolder,
    peer_process: PeerFactory,
    small_disk: Callable[[Path], SmallDisk],
    folder: str,
) -> None:
    peer = loaded.copy_to(peer_process(mode="dev", start=False))
    disk = small_disk(peer.data / folder)
    peer.start()
    acknowledged = await load_until_refused(peer, disk)
    for part in (folder,) if folder and disk.mounted else ():
        wait_until(lambda part=part: WHAT[part][0] in peer.process.text(), within=20, what=part)
    said = [line for line in peer.process.text().splitlines() if disk.refusal in line]
    complaints = [line for line in said if " CRITICAL " in line or " ERROR " in line]
    assert 1 <= len(complaints) <= (1 if folder and disk.mounted else 2), complaints
    for line in complaints:
        assert f": {peer.data / folder if disk.mounted else peer.data}" in line
        assert "; make room there; restart the peer when the cause is gone" in line or (
            not disk.mounted and "; raise the limit" in line
        )
    disk.make_room()
    assert peer.stop() == 0, peer.process.text()
    peer.start()
    await goes_on(peer, loaded.acknowledged | acknowledged)
    assert peer.stop() == 0
    verified(peer.data)


def test_a_start_on_a_full_disk_says_so(
    loaded: LoadedFolder, peer_process: PeerFactory, small_disk: Callable[[Path], SmallDisk]
) -> None:
    peer = loaded.copy_to(peer_process(mode="dev", start=False))
    disk = small_disk(peer.data)
    with disk.full(leave=0 if disk.mounted else 4096):
        process = peer.launch()
        assert process.wait(within=60) == 1
    (told,) = [line for line in process.text().splitlines() if line.startswith("Error: ")]
    assert str(peer.data) in told
    assert disk.refusal in told
    assert "Traceback" not in process.text()
    assert peer.start().stop() == 0
    verified(peer.data)


def test_a_backup_to_a_full_disk_leaves_nothing(
    loaded: LoadedFolder,
    peer_process: PeerFactory,
    tmp_path: Path,
    small_disk: Callable[[Path], SmallDisk],
) -> None:
    peer = loaded.copy_to(peer_process(mode="dev", start=False))
    (tmp_path / "disk").mkdir()
    disk = small_disk(tmp_path / "disk")
    with (
        disk.full(leave=100_000 if disk.mounted else 10_000),
        pytest.raises(BackupError, match=disk.refusal),
    ):
        back_up_stopped(peer.data, tmp_path / "disk" / "copy")
    assert list((tmp_path / "disk").iterdir()) == []
    assert back_up_stopped(peer.data, tmp_path / "disk" / "copy").heights
    verified(tmp_path / "disk" / "copy")
