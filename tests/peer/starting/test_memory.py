"""When does a peer look for memory that it can give back?"""

from __future__ import annotations

import pytest
from treadle_peer.main.memory import Floor

MIB = 1 << 20


def test_a_steady_process_is_left_alone() -> None:
    floor = Floor(50 * MIB)
    for held in (50, 52, 54, 53):
        assert not floor.exceeded(held * MIB)
        floor.follow(held * MIB)


def test_after_a_flood_it_looks_as_long_as_memory_comes_back() -> None:
    floor = Floor(50 * MIB)
    for held, left in ((200, 180), (180, 160), (160, 90), (90, 80), (80, 51)):
        assert floor.exceeded(held * MIB)
        floor.searched(held=held * MIB, left=left * MIB)
    assert not floor.exceeded(54 * MIB)
    assert floor.exceeded(60 * MIB)


def test_growth_that_lasts_is_seldom_searched() -> None:
    floor, searches = Floor(50 * MIB), 0
    for _ in range(600):
        if floor.exceeded(550 * MIB):
            searches += 1
            floor.searched(held=550 * MIB, left=549 * MIB)
        else:
            floor.follow(550 * MIB)
    assert 2 <= searches <= 15
    assert not floor.exceeded(550 * MIB)


@pytest.mark.parametrize("moved", [180, 220])
def test_after_a_search_in_vain_memory_that_moves_is_searched_again(moved: int) -> None:
    floor = Floor(50 * MIB)
    floor.searched(held=200 * MIB, left=200 * MIB)
    assert not floor.exceeded(201 * MIB)
    assert floor.exceeded(moved * MIB)


def test_after_a_search_in_vain_it_is_searched_again_soon() -> None:
    floor = Floor(50 * MIB)
    floor.searched(held=200 * MIB, left=200 * MIB)
    assert [floor.exceeded(200 * MIB) for _ in range(3)] == [False, False, True]


def test_growth_in_small_steps_is_accepted_in_time() -> None:
    floor = Floor(50 * MIB)
    for held in range(50, 90):
        assert not floor.exceeded(held * MIB)
        floor.follow(held * MIB)


def test_memory_that_fell_is_the_new_measure() -> None:
    floor = Floor(90 * MIB)
    floor.follow(40 * MIB)
    assert floor.exceeded(60 * MIB)
