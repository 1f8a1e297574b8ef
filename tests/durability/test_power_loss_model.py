"""The model of a power loss: what is sure, and what may be gone."""

from __future__ import annotations

from harness.disk_calls import (
    Call,
    Linked,
    MadeFolder,
    Opened,
    Removed,
    Renamed,
    Synced,
    Written,
)
from harness.disk_script import Script, state
from harness.power_loss import Recording, Variant
from harness.power_loss_points import cuts_around, distinct_sure


def written(name: str = "a", data: bytes = b"12345") -> Script:
    return Script()(Opened, name)(Written, name, data=data)


def test_nothing_is_sure_without_sync() -> None:
    assert written().after(Variant.DROPPED) == {}
    assert written().after(Variant.KEPT) == {"a": b"12345"}


def test_a_synced_file_without_its_folder_has_no_name() -> None:
    script = written()(Synced, "a")
    assert script.after(Variant.DROPPED) == {}
    assert script.after(Variant.NAMES) == {"a": b"12345"}


def test_a_synced_folder_holds_empty_files() -> None:
    script = written()(Synced, "")
    assert script.after(Variant.DROPPED) == {"a": b""}
    assert script(Synced, "a").after(Variant.DROPPED) == {"a": b"12345"}


def test_a_sync_keeps_only_what_had_ended_before_it_began() -> None:
    calls: list[Call] = [
        Opened(begun=0, ended=1, path="a"),
        Synced(begun=2, ended=3, path=""),
        Written(begun=4, ended=7, path="a", data=b"x"),
        Synced(begun=6, ended=9, path="a"),
    ]
    assert state(Recording(calls), Variant.DROPPED) == {"a": b""}
    calls[3] = Synced(begun=7, ended=9, path="a")
    assert state(Recording(calls), Variant.DROPPED) == {"a": b"x"}


def test_a_rename_is_whole_and_sure_with_its_target() -> None:
    script = written("draft")(Synced, "draft")(Synced, "")(MadeFolder, "d")(Synced, "")
    script(Renamed, "draft", target="d/final")
    assert script.after(Variant.DROPPED) == {"draft": b"12345", "d": None}
    assert script.after(Variant.KEPT) == {"d": None, "d/final": b"12345"}
    assert script(Synced, "d").after(Variant.DROPPED) == {"d": None, "d/final": b"12345"}


def test_a_renamed_folder_may_have_lost_what_was_in_it() -> None:
    script = Script()(MadeFolder, "draft")(Opened, "draft/a")(Renamed, "draft", target="final")
    assert script(Synced, "").after(Variant.DROPPED) == {"final": None}


def test_a_removed_file_may_come_back() -> None:
    script = written()(Synced, "a")(Synced, "")(Removed, "a")
    assert script.after(Variant.DROPPED) == {"a": b"12345"}
    assert script.after(Variant.NAMES) == {}


def test_a_second_name_holds_the_same_bytes() -> None:
    script = written()(Synced, "a")(Linked, "a", target="b")(Synced, "")
    assert script.after(Variant.DROPPED) == {"a": b"12345", "b": b"12345"}


def test_a_torn_write_keeps_its_begin_only() -> None:
    script = written()(Synced, "")(Written, "a", data=b"67890")
    found = {script.after(Variant.TORN, seed=seed)["a"] for seed in range(40)}
    assert found == {b"1234567890"[:length] for length in range(5, 10)}


def test_a_lost_write_before_a_kept_one_leaves_zeros() -> None:
    script = written()(Synced, "")(Written, "a", data=b"67890")
    found = {script.after(Variant.RANDOM, seed=seed)["a"] for seed in range(200)}
    assert {b"", b"1234567890", bytes(5) + b"67890", b"12345"} <= found


def test_bytes_of_orderly_files_have_no_holes() -> None:
    calls = written()(Synced, "")(Written, "a", data=b"67890").calls
    recording = Recording(calls, in_order="a")
    found = {state(recording, Variant.RANDOM, seed=seed)["a"] for seed in range(200)}
    assert found == {b"1234567890"[:length] for length in range(11)}


def test_names_of_one_folder_come_in_order() -> None:
    script = Script()(Opened, "a")(Opened, "b")
    found = {tuple(script.after(Variant.RANDOM, seed=seed)) for seed in range(50)}
    assert found == {(), ("a",), ("a", "b")}


def test_opening_continues_or_empties_a_file() -> None:
    script = written()(Opened, "a", append=True)(Written, "a", data=b"6")
    assert script.after(Variant.KEPT) == {"a": b"123456"}
    script(Opened, "a", truncate=True)(Written, "a", data=b"n")
    assert script.after(Variant.KEPT) == {"a": b"n"}


def test_the_horizon_is_the_end_of_the_next_call() -> None:
    recording = Recording(written().calls)
    assert [recording.horizon(cut) for cut in range(2)] == [1, 3]
    assert recording.horizon(2) > 10**18


def test_points_around_syncs_and_one_for_each_sure_state() -> None:
    recording = Recording(written()(Synced, "a")(Written, "a", data=b"6")(Synced, "a").calls)
    assert cuts_around(recording) == [2, 3, 4, 5]
    # Sure states: nothing until just before call 3, then five bytes until just before call 5.
    assert distinct_sure(recording) == [2, 4, 5]
