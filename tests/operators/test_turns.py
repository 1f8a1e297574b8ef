"""One after another, and nobody waits for ever."""

from __future__ import annotations

import asyncio

import pytest
from treadle_operator.reconcile.turns import Turns


async def test_a_second_one_waits_for_the_end_of_the_first() -> None:
    turns, order = Turns(), []

    async def take(name: str) -> None:
        async with turns.turn() as ours:
            assert ours
            order.append(f"{name} begins")
            await asyncio.sleep(0)
            order.append(f"{name} ends")

    await asyncio.gather(take("a"), take("b"))
    assert order == ["a begins", "a ends", "b begins", "b ends"]


async def test_one_who_has_waited_too_long_goes() -> None:
    turns = Turns(patience=0.01)
    async with turns.turn() as first, turns.turn() as second:
        assert (first, second) == (True, False)


async def test_a_failure_ends_a_turn() -> None:
    turns = Turns()

    async def fail() -> None:
        async with turns.turn():
            raise OSError("lost")

    with pytest.raises(OSError, match="lost"):
        await fail()
    async with turns.turn() as ours:
        assert ours
