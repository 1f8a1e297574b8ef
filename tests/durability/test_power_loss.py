"""The power fails at any moment of a real peer's life: nothing that it promised is lost.

A peer is recorded from its first start on (identities, authorities, channels, a package, load, a
kill in between), system call by system call. Its disk is then built as a power loss could have
left it, and opened by the product.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from itertools import cycle
from pathlib import Path

import pytest
from harness.crash_search import (
    Examiner,
    PowerLoss,
    everywhere,
    examine,
    only_logs_unsure,
    recording_of,
    without,
)
from harness.crashed_disk import write_tree
from harness.disk_calls import Call, Renamed, Synced
from harness.peers import PeerProcess
from harness.power_loss import Tree, Variant
from harness.power_loss_points import cuts_around
from harness.promises import Committed, Delivered, Installed, Ready
from harness.recorded_run import RecordedRun
from harness.runtimes import CHANNEL
from treadle_cli.ledgers import verify_ledgers
from treadle_cli.local.network import LocalNetwork
from treadle_peer.order import OrderStore

pytestmark = pytest.mark.toolchain("go")

PeerFactory = Callable[..., PeerProcess]
SEED = 4
LOST = {
    "acknowledged transactions": re.compile(r"mychannel: transaction \w+ was acknowledged and is"),
    "blocks from the peer": re.compile(r"mychannel: block \d+ was delivered; the ledger has"),
    "blocks from the ordering": re.compile(r"mychannel: block \d+ was delivered; the ordering has"),
}
EVERY = 61  # of the states that the long test examines, `make test` examines one in so many


@pytest.fixture(scope="module")
def examiner(recorded: RecordedRun, memory_folder: Path) -> Examiner:
    return Examiner(recorded, memory_folder / "examiner")


def real_tree(data: Path) -> Tree:
    tree: Tree = {"data": None}
    for file in sorted(data.rglob("*")):
        tree[f"data/{file.relative_to(data)}"] = None if file.is_dir() else file.read_bytes()
    return tree


def test_the_recording_leads_to_the_folder_that_is_there(recorded: RecordedRun) -> None:
    recording = recording_of(recorded.calls)
    whole = PowerLoss(len(recording), Variant.KEPT, SEED).tree(recording)
    real = real_tree(recorded.final)
    assert {
        name for name in whole.keys() | real.keys() if whole.get(name) != real.get(name)
    } == set()


def test_the_run_promised_and_synced_enough_to_lose_something(recorded: RecordedRun) -> None:
    kinds = [type(promise) for promise in recorded.promises]
    assert kinds.count(Ready) == 2
    assert kinds.count(Installed) == 1
    assert kinds.count(Committed) >= 24
    assert kinds.count(Delivered) >= 24
    assert sum(isinstance(call, Synced) for call in recorded.calls) > 200
    assert sum(isinstance(call, Renamed) for call in recorded.calls) > 20


def test_a_power_loss_loses_nothing(
    recorded: RecordedRun, examiner: Examiner, say: Callable[[str], None]
) -> None:
    losses = list(everywhere(examiner.recording, seed=SEED))[::EVERY]
    found = {loss: problems for loss in losses if (problems := examiner.problems(loss))}
    say(f"{len(losses)} power losses during {len(recorded.calls)} calls, {len(found)} with losses")
    assert found == {}


@pytest.mark.long
@pytest.mark.timeout(900)
def test_a_power_loss_at_every_point_loses_nothing(
    recorded: RecordedRun, memory_folder: Path, say: Callable[[str], None]
) -> None:
    recording = recording_of(recorded.calls)
    losses = list(everywhere(recording, seed=SEED))
    assert set(cuts_around(recording)) <= {loss.cut for loss in losses}
    found = examine(recorded, losses, memory_folder)
    say(
        f"{len(losses)} power losses at all {len(recording)} points "
        f"({len(cuts_around(recording))} of them around syncs and renames), "
        f"{len(found)} with losses"
    )
    assert found == []


def test_without_syncs_a_power_loss_loses_what_was_promised(
    recorded_without_sync: RecordedRun, memory_folder: Path, say: Callable[[str], None]
) -> None:
    """The examination that finds nothing in a run with syncs; all but the logs is as synced."""
    assert not any(isinstance(call, Synced) for call in recorded_without_sync.calls)
    examiner = Examiner(recorded_without_sync, memory_folder / "unsynced")
    recording = examiner.recording
    assert examiner.problems(PowerLoss(len(recording), Variant.KEPT, SEED)) == []
    only_logs_unsure(recording, "data/ledger", "data/ordering/blocks")
    losses = list(everywhere(recording, seed=SEED))[:: EVERY // 2]
    found = [problem for loss in losses for problem in examiner.problems(loss)]
    kinds = {
        kind: sum(told.search(problem) is not None for problem in found)
        for kind, told in LOST.items()
    }
    say(f"{len(losses)} power losses without syncs; lost: {kinds}")
    assert all(kinds.values()), found


def _sync_of(part: str, *, end: str = "") -> Callable[[Call], bool]:
    return lambda call: isinstance(call, Synced) and part in call.path and call.path.endswith(end)


@pytest.mark.parametrize(
    ("omitted", "told"),
    [
        (_sync_of("data/ordering/blocks/data/", end=".log"), "the ordering has"),
        (_sync_of("data/ledger/channels/mychannel/data/", end=".log"), "the ledger has"),
        (_sync_of("data/chaincodes"), "an installed package is gone"),
        (_sync_of("data/ledger/channels", end="channels"), "the ledger has"),
        (_sync_of("data", end=".network.draft/organization/ca"), "cannot be opened"),
        (_sync_of("data", end="data/chaincode/authority"), "was replaced"),
        (_sync_of("", end="data/ordering"), "was replaced"),
        (lambda call: isinstance(call, Synced) and call.path in ("", "data"), "the ledger has"),
    ],
    ids=["ordering", "ledger", "packages", "join", "organisation", "authority", "identity", "root"],
)
def test_each_kind_of_sync_is_needed(
    recorded: RecordedRun, examiner: Examiner, omitted: Callable[[Call], bool], told: str
) -> None:
    recording = without(recorded.calls, omitted)
    found = [
        problem
        for cut in range(0, len(recording) + 1, 1 + len(recording) // 20)
        for problem in examiner.problems(PowerLoss(cut, Variant.DROPPED, SEED), recording)
    ]
    assert any(told in problem for problem in found), found


async def start_on(peer: PeerProcess, tree: Tree) -> None:
    """A peer starts on what a power loss left, serves, makes a new channel, and is sound."""
    write_tree(tree, peer.folder)
    await asyncio.to_thread(peer.start)
    local = LocalNetwork.of_folder(
        peer.data / "client",
        msp_id="Org1MSP",
        peer=peer.addresses["peer"],
        orderer=peer.addresses["ordering"],
    )
    async with local:
        assert CHANNEL in await local.administration.channels()
        assert await local.ensure_channel("afterwards")
    assert await asyncio.to_thread(peer.stop) == 0
    orders = OrderStore(peer.data / "ordering" / "blocks")
    ordered = {name: orders.height(name) for name in orders.channels()}
    orders.close()
    sound = {one.channel: one.height for one in verify_ledgers(peer.data) if not one.problems}
    assert sound == {name: height for name, height in ordered.items() if name in sound}
    assert {CHANNEL, "afterwards"} <= set(sound)


async def test_a_peer_starts_after_a_power_loss(
    examiner: Examiner, peer_process: PeerFactory
) -> None:
    """Early in the first start, and under load."""
    recording = examiner.recording
    for number, cut in enumerate((len(recording) // 6, len(recording) - 40)):
        tree = PowerLoss(cut, Variant.RANDOM, SEED).tree(recording)
        await start_on(peer_process(f"peer{number}", start=False), tree)


@pytest.mark.long
@pytest.mark.timeout(600)
async def test_a_peer_starts_after_twenty_power_losses(
    examiner: Examiner, peer_process: PeerFactory
) -> None:
    recording = examiner.recording
    variants = cycle(Variant)
    for number in range(20):
        loss = PowerLoss(number * len(recording) // 20, next(variants), SEED)
        await start_on(peer_process(f"peer{number}", start=False), loss.tree(recording))
