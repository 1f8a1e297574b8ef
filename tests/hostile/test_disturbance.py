"""The figures themselves: when is a disturbance one too many?"""

from __future__ import annotations

import pytest
from harness.disturbance import KEPT, Measured, table

MIB = 1 << 20


def measured(**changes: object) -> Measured:
    """One within both bounds, unless changed."""
    facts: dict[str, object] = {
        "name": "row",
        "quiet": [0.010, 0.011, 0.500],
        "disturbed": [0.014, 0.016, 0.900],
        "before": 50 * MIB,
        "after": 55 * MIB,
    }
    return Measured(**{**facts, **changes})  # type: ignore[arg-type]


def test_medians_count_and_not_the_slowest() -> None:
    assert measured().ratio == pytest.approx(16 / 11)
    assert not measured().faults()


def test_a_median_more_than_half_longer_is_a_fault() -> None:
    assert measured(disturbed=[0.0166] * 3).faults() == [
        "row: the others' median is 1.51 times as long"
    ]


def test_memory_above_the_bound_is_a_fault_and_less_memory_than_before_is_none() -> None:
    assert not measured(after=50 * MIB + KEPT).faults()
    assert measured(after=61 * MIB).faults() == ["row: 11.0 MiB stay"]
    assert not measured(after=10 * MIB).faults()


def test_the_table_has_a_line_per_row_with_milliseconds_and_mebibytes() -> None:
    heading, line = table([measured(note="second measurement")]).splitlines()
    assert heading.split()[0] == "disturbance"
    assert line.split() == (
        [
            "row",
            "11.0",
            "ms",
            "16.0",
            "ms",
            "1.45",
            "50.0",
            "MiB",
            "0.0",
            "55.0",
            "3/3",
            "second",
            "measurement",
        ]
    )
