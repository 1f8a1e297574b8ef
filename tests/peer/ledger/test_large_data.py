"""Large ranges and values in bounded memory."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

CHILD = Path(__file__).with_name("reading_child.py")
KEYS, PER_BLOCK, VALUE = 50_000, 1_000, 2_000
MIB = 1 << 20


def test_a_range_of_100_mb_streams_in_bounded_memory(
    tmp_path: Path, make_chain: Callable[..., Any]
) -> None:
    chain = make_chain(tmp_path / "ledger", durable=False)
    for first in range(0, KEYS, PER_BLOCK):
        chain.put(**{f"k{number:06d}": b"v" * VALUE for number in range(first, first + PER_BLOCK)})
    chain.ledger.close()
    child = subprocess.run(
        [sys.executable, "-W", "ignore", str(CHILD), str(tmp_path / "ledger")],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    count, size, growth, level = map(int, child.stdout.split())
    assert (count, size) == (KEYS, KEYS * VALUE)
    assert growth < 48 * MIB
    assert level == 2


def test_values_of_eight_megabytes_come_back(tmp_path: Path, make_chain: Any) -> None:
    chain = make_chain(tmp_path / "ledger")
    value = bytes(range(256)) * (8 * MIB // 256)
    chain.put(big=value)
    with chain.ledger.simulator("tx") as simulator:
        assert simulator.get_state("ns", "big") == value
        assert next(simulator.range("ns", "", "")).value == value
    assert next(chain.ledger.history_reader().history("ns", "big")).value == value
    assert chain.ledger.verify() == []
    chain.ledger.close()
