"""Tables and ages."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from treadle_cli.runtimes import runtimes_table
from treadle_cli.tables import age, table

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def test_columns_are_as_wide_as_they_need_to_be() -> None:
    assert table(["A", "LONG"], [["wide cell", "x"]]) == "A           LONG\nwide cell   x"


words = st.text(alphabet=st.characters(codec="ascii", categories=["L", "N"]), min_size=1)


@given(st.lists(st.tuples(words, words)))
def test_every_cell_stands_below_its_head(rows: list[tuple[str, str]]) -> None:
    lines = table(["A", "B"], rows).splitlines()
    column = lines[0].index("B")
    assert [line[column:] for line in lines[1:]] == [row[1] for row in rows]


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (0, "0s"),
        (59.9, "59s"),
        (60, "1m"),
        (7199, "119m"),
        (7200, "2h"),
        (172800, "2d"),
        (-1, "0s"),
    ],
)
def test_ages_are_short(seconds: float, expected: str) -> None:
    assert age(seconds) == expected


def test_the_registry_is_a_table_with_the_first_line_of_errors() -> None:
    row = {
        "ccid": "asset:1",
        "state": "registered",
        "owner": "managed",
        "since": (NOW - timedelta(seconds=42)).isoformat(),
        "transactions": 7,
        "errors": 1,
        "restarts": 0,
        "remote": "127.0.0.1:4711",
        "last_error": "timeout\nwith a stack",
    }
    cells = runtimes_table([row], now=NOW).splitlines()[1].split()
    assert cells == [
        *("asset:1", "registered", "managed", "42s", "7", "1", "0", "127.0.0.1:4711", "timeout")
    ]


def test_an_empty_registry_says_so() -> None:
    assert "no chaincode process" in runtimes_table([])


@pytest.mark.parametrize(
    ("error", "shown"),
    [
        ("container exited with 137; the last lines of its log:\nboom", "exited with 137"),
        ("error building image: go failed:\nundefined: x", "go failed"),
        ("container exited with 137", "exited with 137"),
    ],
)
def test_an_error_ends_before_what_is_not_shown(error: str, shown: str) -> None:
    assert runtimes_table([{"ccid": "a:1", "last_error": error}]).rstrip().endswith(shown)
