"""The targets' promises for inputs that hypothesis makes of their seeds; it shrinks what fails."""

from __future__ import annotations

import importlib
from functools import cache
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

TARGETS = sorted(file.stem for file in (Path(__file__).parent / "targets").glob("*.py"))
# A proposal to the endorser, or a block, takes milliseconds.
_EXAMPLES = 60


@cache
def seeds(name: str) -> list[bytes]:
    return list(importlib.import_module(f"fuzz.targets.{name}").seeds())


def changed(name: str) -> st.SearchStrategy[bytes]:
    """Seeds as the target reads them: extended, overwritten, or two of them joined."""
    seed = st.sampled_from(seeds(name))
    few = st.binary(max_size=24)
    return st.one_of(
        st.builds(lambda start, more: start + more, seed, few),
        st.builds(lambda start, at, new: start[:at] + new, seed, st.integers(0, 12), few),
        st.builds(
            lambda one, other, at, to: one[:at] + other[to:],
            seed,
            seed,
            st.integers(0, 40),
            st.integers(0, 40),
        ),
        st.binary(max_size=200),
    )


@pytest.mark.parametrize("name", TARGETS)
def test_a_target_keeps_its_promises_around_its_seeds(name: str) -> None:
    one_input = importlib.import_module(f"fuzz.targets.{name}").one_input

    @settings(
        max_examples=_EXAMPLES,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )
    @given(data=changed(name))
    def holds(data: bytes) -> None:
        one_input(data)

    holds()
