"""When does a peer look for memory that it can give back?"""

from __future__ import annotations

from treadle_peer.main.memory import Floor

MIB = 1 << 20


def test_a_steady_process_is_left_alone() -> None:
    floor = Floor(50 * MIB)
    for held in (50, 52, 54, 53):
        assert not floor.exceeded(held * MIB)
        floor.follow(held * MIB)


def test_after_a_flood_it_looks_until_the_memory_is_back() -> None:
    floor = Floor(50 * MIB)
    for held in (200, 200, 200, 90, 80):
        assert floor.exceeded(held * MIB)
        floor.follow(held * MIB)
    floor.follow(51 * MIB)
    assert not floor.exceeded(54 * MIB)


def test_growth_that_lasts_is_accepted_in_time() -> None:
    floor = Floor(50 * MIB)
    looks = 0
    while floor.exceeded(90 * MIB):
        floor.follow(90 * MIB)
        looks += 1
    assert 30 <= looks <= 40


def test_memory_that_fell_is_the_new_measure() -> None:
    floor = Floor(90 * MIB)
    floor.follow(40 * MIB)
    assert floor.exceeded(60 * MIB)
