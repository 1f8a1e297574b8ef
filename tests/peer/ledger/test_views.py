"""Many readers at many heights, while blocks are committed."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from treadle_peer.ledger import SimulationError, views
from treadle_peer.ledger.errors import LedgerError
from treadle_peer.ledger.families import FAMILIES, LEDGER_FORMAT, STATE
from treadle_peer.ledger.views import StateViews, ViewExpired
from treadle_peer.storage import Database


class Clock:
    """Time that only moves when told."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class World:
    """A database with views over its state, and the writer."""

    def __init__(self, database: Database, *, max_changes: int = 1000) -> None:
        self.clock = Clock()
        self.database = database
        self.views = StateViews(
            database, height=1, max_age=30, max_changes=max_changes, clock=self.clock
        )
        self.block = 1

    def write(self, **values: bytes | None) -> None:
        """Commit a block."""
        batch = self.database.batch()
        for key, value in values.items():
            if value is None:
                batch.delete(STATE, key.encode())
            else:
                batch.put(STATE, key.encode(), value)
        self.views.record(self.block, [key.encode() for key in values])
        self.database.write(batch)
        self.views.publish()
        self.block += 1


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with Database.open(
        tmp_path / "db", format=LEDGER_FORMAT, families=FAMILIES, durable=False
    ) as database:
        world = World(database)
        world.write(a=b"1", b=b"1", c=b"1", d=b"1")
        yield world
        world.views.close()


def test_one_view_is_shared_per_height(world: World) -> None:
    first, second = world.views.acquire(), world.views.acquire()
    assert first is second
    world.write(a=b"2")
    third = world.views.acquire()
    assert third is not first
    assert (first.height, third.height) == (2, 3)


def test_old_views_keep_their_state(world: World) -> None:
    view = world.views.acquire()
    world.write(a=b"2", b=None, e=b"2")
    world.write(a=None, c=b"3")
    assert [view.get(key) for key in (b"a", b"b", b"c", b"e")] == [b"1", b"1", b"1", None]
    assert [*view.scan(b"", b"z")] == [(key, b"1") for key in (b"a", b"b", b"c", b"d")]
    newest = world.views.acquire()
    assert [*newest.scan(b"", b"z")] == [(b"c", b"3"), (b"d", b"1"), (b"e", b"2")]


def test_a_cursor_goes_on_at_its_height_through_commits(world: World) -> None:
    cursor = world.views.acquire().scan(b"", b"z")
    assert next(cursor) == (b"a", b"1")
    world.write(a=b"2", b=None, bb=b"2", d=b"2")
    assert [*cursor] == [(b"b", b"1"), (b"c", b"1"), (b"d", b"1")]


def test_what_nobody_reads_any_more_is_forgotten(world: World) -> None:
    view = world.views.acquire()
    world.write(a=b"2")
    world.write(a=b"3")
    assert set(world.views.changes) == {2, 3}
    view.release()
    assert not world.views.changes
    world.write(a=b"4")
    assert not world.views.changes


def test_an_expired_view_still_answers_what_has_not_changed(world: World) -> None:
    view = world.views.acquire()
    cursor = view.scan(b"", b"z")
    assert next(cursor) == (b"a", b"1")
    world.write(a=b"2", e=b"2")
    world.clock.now = 31
    world.write(f=b"3")
    assert view.get(b"b") == b"1"
    # Opened anew on the live state, behind the key it had reached.
    assert [next(cursor), next(cursor), next(cursor)] == [(b"b", b"1"), (b"c", b"1"), (b"d", b"1")]
    with pytest.raises(ViewExpired, match="older than 30 s"):
        next(cursor)
    for changed in (b"a", b"e", b"f"):
        with pytest.raises(ViewExpired, match="has changed since; try again"):
            view.get(changed)


def test_a_deletion_makes_an_expired_range_fail_where_the_key_was(world: World) -> None:
    view = world.views.acquire()
    world.write(c=None)
    world.clock.now = 31
    world.write()
    cursor = view.scan(b"", b"z")
    assert [next(cursor), next(cursor)] == [(b"a", b"1"), (b"b", b"1")]
    with pytest.raises(ViewExpired):
        next(cursor)
    assert [*view.scan(b"d", b"z")] == [(b"d", b"1")]


def test_age_counts_from_being_superseded(world: World) -> None:
    world.clock.now = 1000
    view = world.views.acquire()
    world.write(a=b"2")
    world.write(a=b"3")
    assert view.get(b"a") == b"1"


def test_too_many_changes_end_old_views_for_good(tmp_path: Path) -> None:
    with Database.open(
        tmp_path / "db", format=LEDGER_FORMAT, families=FAMILIES, durable=False
    ) as database:
        world = World(database, max_changes=3)
        view = world.views.acquire()
        world.write(a=b"1", b=b"1")
        world.write(c=b"1", d=b"1")
        with pytest.raises(ViewExpired, match="too much has changed"):
            view.get(b"x")
        assert not world.views.changes
        view.release()
        world.views.close()


def test_closing_ends_all_views(world: World) -> None:
    view = world.views.acquire()
    cursor = view.scan(b"", b"z")
    next(cursor)
    world.views.close()
    for use in (lambda: view.get(b"a"), lambda: next(cursor), world.views.acquire):
        with pytest.raises(LedgerError, match="the ledger is closed"):
            use()


def test_an_expired_simulation_says_which_transaction(tmp_path: Path, make_chain: Any) -> None:
    chain = make_chain(tmp_path / "ledger", snapshot_max_age=-1.0)
    chain.put(a=b"1", b=b"1")
    with chain.ledger.simulator("abc") as simulator:
        chain.put(a=b"2")
        assert simulator.get_state("ns", "b") == b"1"
        with pytest.raises(SimulationError, match=r"txid \[abc\]: the simulation is older than"):
            simulator.get_state("ns", "a")
    chain.ledger.close()


def test_readers_in_threads_see_whole_blocks_only(chain: Any) -> None:
    """Every block sets ten keys to one value: a reader must never see two values."""
    names = [f"k{number}" for number in range(10)]
    chain.put(**dict.fromkeys(names, b"0"))
    stop, torn = threading.Event(), list[set[bytes]]()

    def read() -> None:
        while not stop.is_set():
            with chain.ledger.simulator("tx") as simulator:
                found = {simulator.get_state("ns", name) for name in names[:5]}
                found |= {each.value for each in simulator.range("ns", "", "")}
                found |= {simulator.get_state("ns", name) for name in names[5:]}
                if len(found) != 1:
                    torn.append(found)

    readers = [threading.Thread(target=read) for _ in range(3)]
    for reader in readers:
        reader.start()
    for number in range(60):
        chain.put(**dict.fromkeys(names, str(number).encode()))
    stop.set()
    for reader in readers:
        reader.join(timeout=30)
    assert torn == []


def test_of_many_ranges_only_some_hold_files_and_all_go_on_where_they_were(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(views, "MAX_READING", 3)
    view = world.views.acquire()
    cursors = [view.scan(b"", b"z") for _ in range(10)]
    for cursor in cursors:
        assert next(cursor) == (b"a", b"1")
    assert sum(cursor.reading for cursor in cursors) == 3
    world.write(b=b"2", bb=b"2", c=None)
    for cursor in cursors:
        assert list(cursor) == [(b"b", b"1"), (b"c", b"1"), (b"d", b"1")]
    assert not any(cursor.reading for cursor in cursors)
    view.release()
