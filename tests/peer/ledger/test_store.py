"""All channels of a peer in one folder that one process owns."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from treadle_peer.ledger import Ledger, LedgerError, LedgerStore
from treadle_peer.storage import StorageError


def test_channels_come_back_after_a_restart(tmp_path: Path, make_genesis: Any) -> None:
    with LedgerStore.open(tmp_path / "store") as store:
        assert store.names() == []
        store.create(make_genesis("two"))
        ledger = store.create(make_genesis("one"))
        assert store.get("one") is ledger
        assert store.names() == ["one", "two"]
    with LedgerStore.open(tmp_path / "store") as store:
        assert store.names() == ["one", "two"]
        two = store.get("two")
        assert two is not None
        assert (two.channel_id, two.height) == ("two", 1)
        assert store.get("three") is None


def test_a_channel_is_created_once(tmp_path: Path, make_genesis: Any) -> None:
    with LedgerStore.open(tmp_path / "store") as store:
        store.create(make_genesis("ch"))
        with pytest.raises(LedgerError) as refusal:
            store.create(make_genesis("ch"))
    assert str(refusal.value) == (
        "cannot create ledger from genesis block: ledger [ch] already exists with state [ACTIVE]"
    )


@pytest.mark.parametrize("name", ["", "..", "../up", "a/b", "Big", "1st", "a" * 250, "a\n"])
def test_names_that_are_no_channel_names_are_refused(
    tmp_path: Path, make_genesis: Any, name: str
) -> None:
    with (
        LedgerStore.open(tmp_path / "store") as store,
        pytest.raises(LedgerError, match="bad channel ID"),
    ):
        store.create(make_genesis(name))


def test_the_folder_belongs_to_one_peer(tmp_path: Path) -> None:
    with (
        LedgerStore.open(tmp_path / "store"),
        pytest.raises(StorageError, match=r"store: in use by process \d+; stop it first"),
    ):
        LedgerStore.open(tmp_path / "store")


def test_a_join_that_a_crash_interrupted_can_be_repeated(tmp_path: Path, make_genesis: Any) -> None:
    with LedgerStore.open(tmp_path / "store"):
        pass
    # What a kill between the first file and the last rename leaves behind.
    Ledger.create(tmp_path / "store" / "creating" / "ch", make_genesis("ch")).close()
    with LedgerStore.open(tmp_path / "store") as store:
        assert store.names() == []
        assert store.create(make_genesis("ch")).height == 1


def test_another_format_is_refused(tmp_path: Path) -> None:
    with LedgerStore.open(tmp_path / "store"):
        pass
    (tmp_path / "store" / "FORMAT").write_text("treadle ledgers 99\n")
    with pytest.raises(StorageError, match="ledgers format 99, but this Treadle reads format 1"):
        LedgerStore.open(tmp_path / "store")


def test_a_closed_store_can_be_opened_by_the_next(tmp_path: Path, make_genesis: Any) -> None:
    store = LedgerStore.open(tmp_path / "store")
    store.create(make_genesis("ch"))
    store.close()
    store.close()
    LedgerStore.open(tmp_path / "store").close()
