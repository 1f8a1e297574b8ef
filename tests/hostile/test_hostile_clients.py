"""Whoever reaches a port cannot take it from others."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from harness.disturbance import Measured
from harness.disturbances import IMPOSTOR, PORTS, Disturbance
from harness.ground import WARM_UP, Ground, sound

pytestmark = [pytest.mark.toolchain("go"), pytest.mark.timeout(420)]

BEHIND_TLS = [*(row for row in PORTS if row.with_tls), IMPOSTOR]
LINES = 60  # that a disturbance may leave in the log: some kinds of them, every ten seconds

Record = Callable[[Measured], None]


@pytest.fixture(params=[False, True], ids=["plaintext", "TLS"])
def here(request: pytest.FixtureRequest) -> Ground:
    """The peer without TLS, then the one with it."""
    found: Ground = request.getfixturevalue("ground_with_tls" if request.param else "ground")
    return found


async def test_all_of_them_at_once_leave_an_honest_client_its_answers(here: Ground) -> None:
    async with here.client() as client:
        rows = [*PORTS, IMPOSTOR] if here.tls else PORTS
        with here.adversaries(rows, quick=True) as adversaries:
            assert len(await client.commits(10)) == 10
    for row, report in zip(rows, adversaries.reports, strict=True):
        assert report.did, row.behaviour


@pytest.mark.long
@pytest.mark.parametrize(
    ("here", "row"),
    [(False, row) for row in PORTS] + [(True, row) for row in BEHIND_TLS],
    indirect=["here"],
    ids=[row.behaviour for row in PORTS] + [f"{row.behaviour} (TLS)" for row in BEHIND_TLS],
)
async def test_a_hostile_client_slows_nobody_and_leaves_no_memory_behind(
    row: Disturbance, here: Ground, record: Record
) -> None:
    async with here.client() as client:
        await client.commits(WARM_UP)
        await client.fill(row.megabytes)
        outcome = await sound(lambda: here.measure(client, row))
    record(outcome.measured)
    assert not outcome.faults()
    assert outcome.after.lines - outcome.before.lines <= LINES
    assert sum(report.did.get(row.dose[0], 0) for report in outcome.reports) >= row.dose[1]
