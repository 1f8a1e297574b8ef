"""One transaction cannot collect more than a message could carry."""

from __future__ import annotations

import pytest
from treadle_peer.ledger import SimulationError
from treadle_peer.ledger.rwset import MAX_BYTES, MAX_RANGES, RangeRecord, ReadWriteSet
from treadle_peer.ledger.values import Version

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


def test_a_key_counts_by_its_bytes() -> None:
    collected, key = ReadWriteSet(), "é" * (1 << 20)
    for number in range(49):
        collected.read("cc", f"{number:02d}{key}", None)
    with pytest.raises(SimulationError, match=TOO_MUCH):
        collected.read("cc", f"49{key}", None)


def test_metadata_that_is_written_again_counts_once(full: ReadWriteSet) -> None:
    for _ in range(20):
        full.write_metadata("cc", "k", {"VALIDATION_PARAMETER": VALUE[: 9 << 20]})
    full.write_metadata("cc", "k", {})
    full.write("cc", "k9", VALUE[: 9 << 20])


def test_forty_thousand_small_range_queries_fit() -> None:
    collected = ReadWriteSet()
    for number in range(40_000):
        record = collected.range("cc", f"a{number:05}")
        record.saw(f"a{number:05}x", Version(1, 0))
        record.saw_end(f"b{number:05}")
    assert len(collected.marshal()) < 4 << 20


def test_too_many_range_queries_are_called_that() -> None:
    collected = ReadWriteSet()
    for _ in range(MAX_RANGES):
        collected.range("cc", "")
    with pytest.raises(SimulationError, match=f"more than {MAX_RANGES} range queries"):
        collected.range("cc", "")


def test_results_of_range_queries_count_as_long_as_they_are_kept() -> None:
    collected, key = ReadWriteSet(), "k" * (1 << 20)
    for _ in range(3):  # a summary takes the place of each 51
        record = collected.range("cc", "")
        for _ in range(51):
            record.saw(key, Version(1, 0))
    for count in (48, 46):  # beside the three ends, and two more
        record = collected.range("cc", "")
        for _ in range(count):
            record.saw(key, Version(1, 0))
    with pytest.raises(SimulationError, match=TOO_MUCH):
        record.saw(key, Version(1, 0))


@pytest.mark.parametrize("count", [0, 1, 50, 51, 102, 510])
def test_a_range_query_is_never_charged_more_than_its_record_takes(count: int) -> None:
    charged: list[int] = []
    record = RangeRecord("", charged.append)
    for number in range(count):
        record.saw(f"k{number:04}", Version(0, 0))
    assert sum(charged) <= record.message().ByteSize()
