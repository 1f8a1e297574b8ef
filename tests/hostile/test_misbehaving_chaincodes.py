"""One chaincode's misbehaviour harms neither the peer nor another chaincode (invariant 3)."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import pytest
from harness.disturbance import KEPT, Measured
from harness.disturbances import CHAINCODES, Disturbance
from harness.ground import EXECUTE_SECONDS, WARM_UP, Ground, sound, strange_answers
from harness.processes import wait_until
from harness.runtimes import runtimes
from harness.vitals import settled, vitals

pytestmark = [pytest.mark.toolchain("go"), pytest.mark.timeout(420)]

TRIES = 10_000
GROWTH_OF_HONEST_BLOCKS = 16 << 20  # thousands of them meanwhile, until RocksDB writes them out

Record = Callable[[Measured], None]


def working(ground: Ground) -> int:
    """Transactions that chaincodes work on."""
    return sum(row["in_flight"] for row in runtimes(ground.peer.addresses["operations"]))


@pytest.mark.parametrize("heavy", [False, True], ids=["light", "heavy"])
async def test_all_of_them_at_once_leave_the_honest_one_its_answers(
    heavy: bool, ground: Ground
) -> None:
    rows = [row for row in CHAINCODES if row.heavy is heavy]
    async with ground.client() as client:
        with ground.adversaries(rows, quick=True) as adversaries:
            assert len(await client.commits(5)) == 5
            adversaries.answered()
            assert len(await client.commits(5)) == 5
    for row, report in zip(rows, adversaries.reports, strict=True):
        assert row.ports or bool(report.answers) == bool(row.callers), row.behaviour
        assert not row.callers or not strange_answers(row, [report]), (row.behaviour, report)
    wait_until(lambda: not working(ground), within=EXECUTE_SECONDS + 5, what="nothing running")


@pytest.mark.long
@pytest.mark.parametrize("row", CHAINCODES, ids=lambda row: row.behaviour.replace(" ", "-"))
async def test_a_misbehaving_chaincode_slows_nobody_and_leaves_no_memory_behind(
    row: Disturbance, ground: Ground, record: Record
) -> None:
    async with ground.client() as client:
        await client.commits(WARM_UP)
        outcome = await sound(lambda: ground.measure(client, row))
    record(outcome.measured)
    assert not outcome.faults()
    # The endorser tells of each failed proposal of a member; strangers are counted.
    assert row.callers or outcome.after.lines - outcome.before.lines <= 60
    assert not row.callers or not strange_answers(row, outcome.reports), outcome.reports
    assert sum(report.did.get(row.dose[0], 0) for report in outcome.reports) >= row.dose[1]
    wait_until(lambda: not working(ground), within=EXECUTE_SECONDS + 5, what="nothing running")


@pytest.mark.long
async def test_ten_thousand_registrations_leave_neither_memory_nor_lines_behind(
    ground: Ground,
) -> None:
    [row] = [row for row in CHAINCODES if row.behaviour == "registers strange names"]
    before, tries = vitals(ground.peer), 0
    async with ground.client() as client:
        while tries < TRIES:
            with ground.adversaries([dataclasses.replace(row, rate=2000)]) as adversaries:
                await client.commits(500, seconds=10)
            tries += adversaries.reports[0].did["registrations"]
    after = settled(ground.peer, before, kept=KEPT)
    assert after.memory - before.memory <= KEPT + GROWTH_OF_HONEST_BLOCKS
    assert after.descriptors - before.descriptors <= 8
    assert after.lines - before.lines <= 300
    rows = runtimes(ground.peer.addresses["operations"])
    assert not [row for row in rows if row["ccid"].startswith("stranger")]
