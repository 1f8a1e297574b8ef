"""The database keeps, orders and isolates what it is given."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from treadle_peer.storage import Database, Family, Format, StorageError

FORMAT = Format("test", 1)
FAMILIES = (Family("one"), Family("two"))


def opened(path: Path, **options: bool) -> Database:
    return Database.open(path, format=FORMAT, families=FAMILIES, **options)


def put(database: Database, family: str, rows: dict[bytes, bytes]) -> None:
    batch = database.batch()
    for key, value in rows.items():
        batch.put(family, key, value)
    database.write(batch)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    with opened(tmp_path / "db") as database:
        yield database


def test_families_are_separate(database: Database) -> None:
    put(database, "one", {b"k": b"1"})
    assert database.get("one", b"k") == b"1"
    assert database.get("two", b"k") is None


def test_a_batch_spans_families_and_its_last_word_wins(database: Database) -> None:
    put(database, "one", {b"gone": b"x"})
    batch = database.batch()
    batch.put("one", b"k", b"1")
    batch.put("two", b"k", b"2")
    batch.delete("one", b"gone")
    batch.put("one", b"twice", b"a")
    batch.delete("one", b"twice")
    database.write(batch)
    assert [*database.scan("one")] == [(b"k", b"1")]
    assert [*database.scan("two")] == [(b"k", b"2")]


def test_a_batch_that_is_not_written_changes_nothing(database: Database) -> None:
    database.batch().put("one", b"k", b"1")
    assert database.get("one", b"k") is None


def test_empty_values_and_missing_keys_differ(database: Database) -> None:
    put(database, "one", {b"": b""})
    assert database.get("one", b"") == b""
    assert database.snapshot("one").get(b"") == b""
    assert database.get("one", b"k") is None
    assert database.snapshot("one").get(b"k") is None


def test_scans_respect_their_bounds_in_both_directions(database: Database) -> None:
    put(database, "one", {bytes([n]): b"" for n in range(10)})
    found = [key[0] for key, _ in database.scan("one", start=b"\x03", end=b"\x07")]
    assert found == [3, 4, 5, 6]
    backwards = database.scan("one", start=b"\x03", end=b"\x07", reverse=True)
    assert [key[0] for key, _ in backwards] == [6, 5, 4, 3]
    assert [*database.scan("one", start=b"\x07", end=b"\x03")] == []
    assert [key[0] for key, _ in database.scan("one", reverse=True)] == [*reversed(range(10))]


def test_a_closed_cursor_yields_nothing_more(database: Database) -> None:
    put(database, "one", {bytes([n]): b"" for n in range(10)})
    cursor = database.scan("one")
    assert next(cursor) == (b"\x00", b"")
    cursor.close()
    cursor.close()
    assert next(cursor, None) is None


def test_a_cursor_sees_the_state_of_its_making(database: Database) -> None:
    put(database, "one", {b"a": b"1", b"b": b"1"})
    cursor = database.scan("one")
    put(database, "one", {b"a": b"2", b"c": b"2"})
    assert [*cursor] == [(b"a", b"1"), (b"b", b"1")]


def test_a_snapshot_sees_the_state_of_its_making(database: Database) -> None:
    put(database, "one", {b"a": b"1"})
    snapshot = database.snapshot("one")
    put(database, "one", {b"a": b"2", b"b": b"2"})
    assert snapshot.get(b"a") == b"1"
    assert snapshot.get(b"b") is None


def test_everything_is_there_after_reopening(tmp_path: Path) -> None:
    rows = {bytes([n]) * n: bytes([n]) for n in range(1, 200)}
    with opened(tmp_path / "db") as database:
        put(database, "one", rows)
    with opened(tmp_path / "db") as database:
        assert dict(database.scan("one")) == rows


def test_values_of_eight_megabytes_and_keys_of_a_hundred_kilobytes(tmp_path: Path) -> None:
    key, value = b"k" * 100_000, b"v" * (8 << 20)
    with opened(tmp_path / "db") as database:
        put(database, "one", {key: value})
    with opened(tmp_path / "db") as database:
        assert database.get("one", key) == value


def test_a_folder_in_use_is_refused_with_a_sentence(tmp_path: Path) -> None:
    with opened(tmp_path / "db"), pytest.raises(StorageError, match="in use by another process"):
        opened(tmp_path / "db")


def test_use_after_close_is_an_error_that_names_the_folder(tmp_path: Path) -> None:
    database = opened(tmp_path / "db")
    batch = database.batch()
    batch.put("one", b"k", b"v")
    database.close()
    database.close()
    uses = (
        lambda: database.get("one", b"k"),
        lambda: database.scan("one"),
        lambda: database.snapshot("one"),
        lambda: database.write(batch),
        database.batch,
    )
    for use in uses:
        with pytest.raises(StorageError, match=r"db: already closed"):
            use()


def test_damaged_files_are_reported(tmp_path: Path) -> None:
    with opened(tmp_path / "db") as database:
        put(database, "one", {b"k": b"1"})
    (tmp_path / "db" / "data" / "CURRENT").write_text("nonsense\n")
    with pytest.raises(StorageError, match="cannot open"):
        opened(tmp_path / "db")


KEYS = st.binary(max_size=24) | st.sampled_from([b"", b"\x00", b"\xff", b"\xff" * 8, b"x" * 65536])


@settings(max_examples=40, deadline=None)
@given(
    batches=st.lists(
        st.lists(st.tuples(KEYS, st.none() | st.binary(max_size=40)), max_size=20), max_size=6
    ),
    bounds=st.tuples(KEYS, KEYS),
)
def test_it_is_a_sorted_map(
    batches: list[list[tuple[bytes, bytes | None]]], bounds: tuple[bytes, bytes]
) -> None:
    model: dict[bytes, bytes] = {}
    with (
        tempfile.TemporaryDirectory() as folder,
        opened(Path(folder) / "db", durable=False) as database,
    ):
        for changes in batches:
            batch = database.batch()
            for key, value in changes:
                if value is None:
                    batch.delete("one", key)
                    model.pop(key, None)
                else:
                    batch.put("one", key, value)
                    model[key] = value
            database.write(batch)
        assert [*database.scan("one")] == sorted(model.items())
        start, end = bounds
        within = [(key, value) for key, value in sorted(model.items()) if start <= key < end]
        assert [*database.scan("one", start=start, end=end)] == within
        backwards = database.scan("one", start=start, end=end, reverse=True)
        assert [*backwards] == within[::-1]


def test_large_values_get_files_of_their_own_and_are_read_like_others(tmp_path: Path) -> None:
    large = bytes(range(256)) * 8192
    with opened(tmp_path / "db") as database:
        put(database, "one", {b"k": large, b"small": b"1"})
        assert list((tmp_path / "db").rglob("*.blob"))
        assert list(database.scan("one")) == [(b"k", large), (b"small", b"1")]
    with opened(tmp_path / "db") as database:
        assert database.get("one", b"k") == large
        put(database, "one", {b"k": b"now small"})
        assert database.get("one", b"k") == b"now small"
