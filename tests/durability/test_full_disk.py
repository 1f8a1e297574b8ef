"""The disk becomes full while a peer commits: it says so, loses nothing, and goes on after that."""

from __future__ import annotations

import asyncio
import os
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
from harness.small_disk import MountRefused, SmallDisk
from treadle_fabric.client import BroadcastRefused, CallFailed, ClientError
from treadle_peer.main.backups import BackupError, back_up_stopped

pytestmark = pytest.mark.toolchain("go")

PeerFactory = Callable[..., PeerProcess]
DiskFactory = Callable[..., SmallDisk]
LEAVE = 60_000  # bytes that can still be written: about ten blocks
WHAT = {
    "ledger": ["channel mychannel stopped: "],
    "ordering": ["the ordering of channel mychannel"],
}


@pytest.fixture
def small_disk(say: Callable[[str], None]) -> Iterator[DiskFactory]:
    """Disks that can be full; where none can be mounted, skip, but in CI fail."""
    made: list[SmallDisk] = []

    def make(folder: Path, *, limited: bool = False) -> SmallDisk:
        try:
            made.append(SmallDisk(folder, limited=limited))
        except MountRefused as error:
            (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(
                f"no full disk without a mount, and mounting is not allowed: {error}"
            )
        say("a limit on the size of files" if limited else "a mounted file system of 32 MB")
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
    loaded: LoadedFolder, peer_process: PeerFactory, small_disk: DiskFactory, folder: str
) -> None:
    peer = loaded.copy_to(peer_process(mode="dev", start=False))
    disk = small_disk(peer.data / folder)
    await refuses_then_goes_on(peer, disk, loaded.acknowledged)


@pytest.mark.long
async def test_a_limit_on_the_size_of_files_loses_nothing(
    loaded: LoadedFolder, peer_process: PeerFactory, small_disk: DiskFactory
) -> None:
    peer = loaded.copy_to(peer_process(mode="dev", start=False))
    disk = small_disk(peer.data, limited=True)
    await refuses_then_goes_on(peer, disk, loaded.acknowledged)


async def refuses_then_goes_on(peer: PeerProcess, disk: SmallDisk, before: dict[str, int]) -> None:
    """Under load until writes are refused; what was acknowledged is there after a restart."""
    folder = "" if disk.folder == peer.data else disk.folder.name
    peer.start()
    acknowledged = await load_until_refused(peer, disk)
    for part in (folder,) if folder else ():
        wait_until(lambda part=part: WHAT[part][0] in peer.process.text(), within=20, what=part)
    said = [line for line in peer.process.text().splitlines() if disk.refusal in line]
    complaints = [line for line in said if " CRITICAL " in line or " ERROR " in line]
    assert 1 <= len(complaints) <= (1 if folder else 2), complaints
    for line in complaints:
        assert f": {disk.folder}" in line
        remedy = "make room there" if disk.mounted else "raise the limit"
        assert f"; {remedy}" in line
        assert line.endswith("; restart the peer when the cause is gone")
    disk.make_room()
    assert peer.stop() == 0, peer.process.text()
    peer.start()
    await goes_on(peer, before | acknowledged)
    assert peer.stop() == 0
    verified(peer.data)


def test_a_start_on_a_full_disk_says_so(
    loaded: LoadedFolder, peer_process: PeerFactory, small_disk: DiskFactory
) -> None:
    peer = loaded.copy_to(peer_process(mode="dev", start=False))
    disk = small_disk(peer.data)
    with disk.full(leave=0):
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
    small_disk: DiskFactory,
) -> None:
    peer = loaded.copy_to(peer_process(mode="dev", start=False))
    (tmp_path / "disk").mkdir()
    disk = small_disk(tmp_path / "disk")
    with (
        disk.full(leave=100_000),
        pytest.raises(BackupError, match=disk.refusal),
    ):
        back_up_stopped(peer.data, tmp_path / "disk" / "copy")
    assert list((tmp_path / "disk").iterdir()) == []
    assert back_up_stopped(peer.data, tmp_path / "disk" / "copy").heights
    verified(tmp_path / "disk" / "copy")
