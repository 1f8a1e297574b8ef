"""One transaction cannot collect more than a message could carry."""

from __future__ import annotations

import pytest
from treadle_peer.ledger import SimulationError
from treadle_peer.ledger.rwset import MAX_BYTES, RANGE_BYTES, ReadWriteSet

TOO_MUCH = f"more than {MAX_BYTES} bytes"
VALUE = bytes(10 << 20)


@pytest.fixture
def full() -> ReadWriteSet:
    """Nine writes of 10 MiB."""
    collected = ReadWriteSet()
    for number in range(9):
        collected.write("cc", f"k{number}", VALUE)
    return collected


def test_writes_above_the_bound_are_refused_and_those_before_stand(full: ReadWriteSet) -> None:
    with pytest.raises(SimulationError, match=TOO_MUCH):
        full.write("other", "k", VALUE)
    full.write("other", "k", b"small")
    assert len(full.marshal()) > 9 * len(VALUE)


def test_a_value_that_is_written_again_counts_once(full: ReadWriteSet) -> None:
    for _ in range(20):
        full.write("cc", "k0", VALUE)
    full.write("cc", "k0", b"")
    full.write("cc", "k9", VALUE)
    with pytest.raises(SimulationError, match=TOO_MUCH):
        full.write("cc", "k0", VALUE)


def test_metadata_counts_too(full: ReadWriteSet) -> None:
    with pytest.raises(SimulationError, match=TOO_MUCH):
        full.write_metadata("cc", "k", {"VALIDATION_PARAMETER": VALUE})


def test_keys_that_are_read_count_once_each() -> None:
    collected, key = ReadWriteSet(), "k" * (1 << 20)
    for number in range(99):
        for _ in range(2):
            collected.read("cc", f"{number:02d}{key}", None)
    with pytest.raises(SimulationError, match=TOO_MUCH):
        collected.read("cc", f"99{key}", None)


def test_range_queries_count_too() -> None:
    collected = ReadWriteSet()
    for _ in range(MAX_BYTES // RANGE_BYTES):
        collected.range("cc", "")
    with pytest.raises(SimulationError, match=TOO_MUCH):
        collected.range("cc", "")
