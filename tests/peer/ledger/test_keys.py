"""State keys keep the order of namespace and key, whatever is in them."""

from __future__ import annotations

import random
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from treadle_peer.ledger.keys import (
    history_end,
    history_key,
    history_prefix,
    namespace_end,
    namespace_prefix,
    range_bounds,
    read_position,
    state_key,
)

TEXT = st.text(
    alphabet=st.sampled_from("\x00\x01\x02aé鍵\ufffd\U0010ffff\u00ff")
    | st.characters(codec="utf-8"),
    max_size=8,
)
PAIRS = st.tuples(TEXT, TEXT)


@given(PAIRS, PAIRS)
def test_state_keys_sort_like_namespace_and_key(a: tuple[str, str], b: tuple[str, str]) -> None:
    in_bytes = [(namespace.encode(), key.encode()) for namespace, key in (a, b)]
    assert (state_key(*a) < state_key(*b)) == (in_bytes[0] < in_bytes[1])
    assert (state_key(*a) == state_key(*b)) == (a == b)


@given(PAIRS, TEXT)
def test_a_namespace_contains_its_keys_and_no_others(pair: tuple[str, str], other: str) -> None:
    key = state_key(*pair)
    within = namespace_prefix(other) <= key < namespace_end(other)
    assert within == (pair[0] == other)
    assert within == key.startswith(namespace_prefix(other))


@given(TEXT, TEXT, TEXT, TEXT)
def test_ranges_are_half_open_and_an_empty_end_is_open(
    namespace: str, key: str, start: str, end: str
) -> None:
    first, last = range_bounds(namespace, start, end)
    assert (first <= state_key(namespace, key) < last) == (start <= key and (not end or key < end))


@given(PAIRS, PAIRS, st.integers(0, 2**64 - 1), st.integers(0, 2**32 - 1))
def test_history_rows_belong_to_one_key(
    a: tuple[str, str], b: tuple[str, str], block: int, tx: int
) -> None:
    row = history_key(*a, block=block, tx=tx)
    assert read_position(row) == (block, tx)
    assert row.startswith(history_prefix(*a))
    assert (history_prefix(*b) <= row < history_end(*b)) == (a == b)


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 2**32), count=st.integers(1, 25))
def test_keys_of_up_to_64_kib_behave_like_a_sorted_map(
    make_chain: Callable[..., Any], seed: int, count: int
) -> None:
    rng = random.Random(seed)
    model = {random_key(rng): rng.randbytes(20) for _ in range(count)}
    with tempfile.TemporaryDirectory() as folder:
        chain = make_chain(Path(folder) / "ledger", durable=False)

        def work(simulator: Any) -> None:
            for key, value in model.items():
                simulator.set_state("ns", key, value)

        chain.commit_results(chain.simulate(work))
        bounds = sorted((random_key(rng), rng.choice(sorted(model))))
        with chain.ledger.simulator("tx") as simulator:
            found = [(each.key, each.value) for each in simulator.range("ns", "", "")]
            assert found == sorted(model.items())
            start, end = bounds
            part = [each.key for each in simulator.range("ns", start, end)]
            inside = [key for key in sorted(model) if start <= key and (not end or key < end)]
            assert part == inside
            for key, value in model.items():
                assert simulator.get_state("ns", key) == value
            results = simulator.results()
        assert chain.commit_results(results).codes == [0]
        chain.ledger.close()


def random_key(rng: random.Random) -> str:
    """A key of 0 to 64 KiB; many share a long beginning."""
    length = rng.choice((0, 1, 2, 10, 511, 512, 4096, 65_535, 65_536))
    shared = rng.choice(("", "\x00", "k" * min(length, 1000)))
    rest = "".join(rng.choices("ab\x00\x01\x7f", k=max(0, length - len(shared))))
    return (shared + rest)[:length]
