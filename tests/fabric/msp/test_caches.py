"""The bounded cache behind identities and validations."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from treadle_fabric.msp.caches import LRUCache


@given(
    size=st.integers(1, 5),
    operations=st.lists(st.tuples(st.booleans(), st.integers(0, 8)), max_size=60),
)
def test_it_keeps_exactly_the_most_recently_used(
    size: int, operations: list[tuple[bool, int]]
) -> None:
    cache, model = LRUCache[int, str](size), list[int]()
    for is_put, key in operations:
        if is_put:
            cache.put(key, str(key))
        else:
            assert cache.get(key) == (str(key) if key in model else None)
        if is_put or key in model:
            model = [*(each for each in model if each != key), key][-size:]
        assert len(cache) == len(model)
