"""The model of a power loss against real folders, with drawn actions."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from harness.disk_calls import (
    Call,
    Linked,
    MadeFolder,
    Opened,
    Removed,
    Renamed,
    Resized,
    Synced,
    Written,
)
from harness.disk_script import Script, state
from harness.power_loss import Recording, Tree, Variant
from hypothesis import given, settings
from hypothesis import strategies as st

_NAMES = st.sampled_from(["a", "b", "d/a", "d/b", "d/e/c"])
_FOLDERS = st.sampled_from(["", "d", "d/e"])
_ACTIONS = st.one_of(
    st.tuples(st.just("open"), _NAMES, st.booleans(), st.booleans()),
    st.tuples(st.just("write"), _NAMES, st.binary(min_size=1, max_size=9)),
    st.tuples(st.just("pwrite"), _NAMES, st.binary(min_size=1, max_size=9), st.integers(0, 12)),
    st.tuples(st.just("truncate"), _NAMES, st.integers(0, 12)),
    st.tuples(st.just("rename"), _NAMES, _NAMES),
    st.tuples(st.just("link"), _NAMES, _NAMES),
    st.tuples(st.just("unlink"), _NAMES),
    st.tuples(st.just("sync"), st.one_of(_NAMES, _FOLDERS)),
)


class Both:
    """Does each action to a real folder and, when it worked, notes the call."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.script = Script()
        self.trees: list[Tree] = [{}]  # [number of calls]
        self._open: dict[int, int] = {}  # the newest descriptor of each inode
        for folder in ("d", "d/e"):
            (root / folder).mkdir()
            self._done(MadeFolder, folder)

    def close(self) -> None:
        for descriptor in self._open.values():
            os.close(descriptor)

    def do(self, name: str, path: str, *told: object) -> None:
        if name == "open" or (self.root / path).exists():
            getattr(self, f"_do_{name}")(path, *told)

    def sync_all(self) -> None:
        for path in ["", *real_tree(self.root)]:
            self._do_sync(path)

    def _do_open(self, path: str, truncate: bool, append: bool) -> None:
        flags = (os.O_TRUNC if truncate else 0) | (os.O_APPEND if append else 0)
        descriptor = os.open(self.root / path, os.O_WRONLY | os.O_CREAT | flags)
        earlier = self._open.pop(os.fstat(descriptor).st_ino, None)
        if earlier is not None:
            os.close(earlier)
        self._open[os.fstat(descriptor).st_ino] = descriptor
        self._done(Opened, path, truncate=truncate, append=append)

    def _do_write(self, path: str, data: bytes) -> None:
        os.write(self._open[(self.root / path).stat().st_ino], data)
        self._done(Written, path, data=data)

    def _do_pwrite(self, path: str, data: bytes, offset: int) -> None:
        with (self.root / path).open("r+b", buffering=0) as file:
            os.pwrite(file.fileno(), data, offset)
        self._done(Written, path, data=data, offset=offset)

    def _do_truncate(self, path: str, size: int) -> None:
        os.truncate(self.root / path, size)
        self._done(Resized, path, size=size)

    def _do_rename(self, path: str, target: str) -> None:
        same = path == target or (
            (self.root / target).exists() and (self.root / target).samefile(self.root / path)
        )
        if not same:  # the kernel then does nothing
            (self.root / path).rename(self.root / target)
            self._done(Renamed, path, target=target)

    def _do_link(self, path: str, target: str) -> None:
        if not (self.root / target).exists():
            os.link(self.root / path, self.root / target)
            self._done(Linked, path, target=target)

    def _do_unlink(self, path: str) -> None:
        (self.root / path).unlink()
        self._done(Removed, path)

    def _do_sync(self, path: str) -> None:
        self._done(Synced, path)

    def _done(self, kind: type[Call], path: str, **told: object) -> None:
        self.script(kind, path, **told)
        self.trees.append(real_tree(self.root))


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[], Both]]:
    made: list[Both] = []

    def make() -> Both:
        made.append(Both(tmp_path_factory.mktemp("real")))
        return made[-1]

    yield make
    for both in made:
        both.close()
        shutil.rmtree(both.root)


def real_tree(root: Path) -> Tree:
    return {
        str(file.relative_to(root)): None if file.is_dir() else file.read_bytes()
        for file in sorted(root.rglob("*"))
    }


def played(both: Both, actions: list[tuple[Any, ...]]) -> Both:
    for action in actions:
        both.do(*action)
    return both


@settings(max_examples=40, deadline=None)
@given(actions=st.lists(_ACTIONS, max_size=25))
def test_with_everything_kept_the_model_is_the_real_folder(
    fresh: Callable[[], Both], actions: list[tuple[Any, ...]]
) -> None:
    both = played(fresh(), actions)
    recording = Recording(both.script.calls)
    for cut, tree in enumerate(both.trees):
        assert state(recording, Variant.KEPT, cut) == tree


@settings(max_examples=40, deadline=None)
@given(
    before=st.lists(_ACTIONS, max_size=15),
    after=st.lists(_ACTIONS, max_size=15),
    seed=st.integers(0),
)
def test_what_was_synced_and_left_alone_is_there_whatever_happens(
    fresh: Callable[[], Both],
    before: list[tuple[Any, ...]],
    after: list[tuple[Any, ...]],
    seed: int,
) -> None:
    both = played(fresh(), [("open", "keep", True, False), ("write", "keep", b"k"), *before])
    both.sync_all()
    recording = Recording(both.script.calls)
    for variant in Variant:
        assert state(recording, variant, seed=seed) == both.trees[-1]
    played(both, after)
    recording = Recording(both.script.calls)
    for variant in Variant:
        assert state(recording, variant, seed=seed)["keep"] == b"k"


@settings(max_examples=40, deadline=None)
@given(actions=st.lists(_ACTIONS, max_size=25), seed=st.integers(0))
def test_no_name_appears_that_never_was(
    fresh: Callable[[], Both], actions: list[tuple[Any, ...]], seed: int
) -> None:
    both = played(fresh(), actions)
    recording = Recording(both.script.calls)
    ever = set().union(*both.trees)
    for variant in Variant:
        assert set(state(recording, variant, seed=seed)) <= ever
