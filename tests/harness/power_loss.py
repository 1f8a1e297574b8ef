"""What a disk may hold after the power went: a model of files, names and syncs, without I/O.

Rules of the model, as strict as POSIX allows:

- Bytes of a file are sure once a sync of that file ended which began after their write had ended.
- A name is sure once its folder was synced likewise; syncing a file does not keep its name. A
  rename is one step of the file system (journals make it so), sure with the target's folder.
- Everything else may be there or not: bytes dropped (leaving zeros where later ones were kept), a
  write torn, names missing. Changes of names in one folder come in their order, as on all file
  systems with a journal; RocksDB relies on it. Those of different folders do not.
"""

from __future__ import annotations

import random
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import Enum

from harness.disk_calls import (
    Call,
    Copied,
    Linked,
    MadeFolder,
    Opened,
    Removed,
    Renamed,
    Resized,
    Synced,
    Written,
)

ROOT = 0
NEVER = 1 << 62

Tree = dict[str, bytes | None]
"""Paths to contents; None is a folder."""


@dataclass(slots=True)
class Step:
    """One change: of a file's bytes, or of names. *at* counts calls; *sure* says from which on."""

    at: int
    ended: int
    node: int  # the file, or the folder whose sync makes the names sure
    names: tuple[tuple[int, str, int | None], ...] = ()
    offset: int = 0
    data: bytes = b""
    size: int | None = None
    sure: int = NEVER

    @property
    def is_write(self) -> bool:
        """Whether it can be torn."""
        return not self.names and self.size is None


@dataclass(slots=True)
class _File:
    content: bytearray = field(default_factory=bytearray)
    position: int = 0
    append: bool = False

    def place(self) -> int:
        """Where the next write goes."""
        if self.append:
            self.position = len(self.content)
        return self.position


class Variant(Enum):
    """What became of the steps that are not sure."""

    DROPPED = "all dropped"
    NAMES = "names kept, bytes dropped"
    BYTES = "bytes kept, names dropped"
    TORN = "all kept, the last write of each file torn"
    RANDOM = "a random part kept"
    KEPT = "all kept"


class Recording:
    """The calls of a run on one folder, in the order of their ends.

    The bytes of files with *in_order* in their name come in their order, if at all.
    """

    def __init__(self, calls: Sequence[Call], *, in_order: str | None = None) -> None:
        self.calls = sorted(calls, key=lambda call: call.ended)
        self.steps: list[Step] = []
        self._folders: dict[int, dict[str, int]] = {ROOT: {}}
        self._files: dict[int, _File] = {}
        self._unsure: dict[int, list[Step]] = {}
        self._in_order = in_order
        self._orderly: set[int] = set()
        for at, call in enumerate(self.calls):
            self._apply(at, call)
        self._ends = [call.ended for call in self.calls]
        self._changes = [step.at for step in self.steps]

    def __len__(self) -> int:
        return len(self.calls)

    def horizon(self, cut: int) -> int:
        """Until when, in ns, the power may fail so that just the first *cut* calls have ended."""
        return self._ends[cut] if cut < len(self.calls) else NEVER

    def pending(self, cut: int) -> list[int]:
        """The steps among the first *cut* calls that are not sure then."""
        changes = range(bisect_left(self._changes, cut))
        return [index for index in changes if self.steps[index].sure > cut]

    def tree(self, cut: int, kept: dict[int, int]) -> Tree:
        """The folder with the sure steps and those *kept*: so many bytes of a write, else 1."""
        folders: dict[int, dict[str, int]] = {}
        files: dict[int, bytearray] = {}
        for index in range(bisect_left(self._changes, cut)):
            step = self.steps[index]
            length = len(step.data) if step.sure <= cut else kept.get(index)
            if length is None:
                continue
            for folder, name, node in step.names:
                _set(folders.setdefault(folder, {}), name, node)
            if not step.names:
                _change(files.setdefault(step.node, bytearray()), step, length)
        return dict(self._walk(ROOT, "", folders, files))

    def survivors(self, cut: int, variant: Variant, chance: random.Random) -> dict[int, int]:
        """Which pending steps *variant* keeps, as ``tree`` takes them."""
        pending = self.pending(cut)
        if variant is Variant.RANDOM:
            return dict(self._random(pending, chance))
        names = variant not in (Variant.DROPPED, Variant.BYTES)
        data = variant not in (Variant.DROPPED, Variant.NAMES)
        kept = {
            index: len(self.steps[index].data)
            for index in pending
            if (names if self.steps[index].names else data)
        }
        if variant is Variant.TORN:
            last = {self.steps[i].node: i for i in pending if self.steps[i].is_write}
            kept |= {index: chance.randrange(kept[index]) for index in last.values() if kept[index]}
        return kept

    def _random(self, pending: list[int], chance: random.Random) -> Iterator[tuple[int, int]]:
        lost: set[int] = set()
        for index in pending:
            step, size = self.steps[index], len(self.steps[index].data)
            linked = {folder for folder, _, _ in step.names} or {step.node} & self._orderly
            if linked & lost or chance.random() < 0.3:
                lost |= linked
            elif step.is_write and chance.random() < 0.3:
                lost |= linked
                yield index, chance.randrange(size + 1)
            else:
                yield index, size

    def _walk(
        self,
        folder: int,
        prefix: str,
        folders: dict[int, dict[str, int]],
        files: dict[int, bytearray],
    ) -> Iterator[tuple[str, bytes | None]]:
        for name, node in sorted(folders.get(folder, {}).items()):
            path = prefix + name
            if node in self._folders:
                yield path, None
                yield from self._walk(node, f"{path}/", folders, files)
            else:
                yield path, bytes(files.get(node, b""))

    def _apply(self, at: int, call: Call) -> None:
        match call:
            case Opened():
                self._open(at, call)
            case MadeFolder():
                self._name(at, call.path, self._new(folder=True), call)
            case Written():
                file = self._files[self._node(call.path)]
                if call.offset is None:
                    self._write(at, call, file.place(), call.data)
                    file.position += len(call.data)
                else:
                    self._write(at, call, call.offset, call.data)
            case Copied():
                file = self._files[self._node(call.path)]
                source = self._files[self._node(call.source)].content
                data = bytes(source[file.position : file.position + call.size])
                self._write(at, call, file.position, data)
                file.position += call.size
            case Resized():
                self._resize(at, call)
            case Renamed():
                self._rename(at, call)
            case Linked():
                self._name(at, call.target, self._node(call.path), call)
            case Removed():
                self._name(at, call.path, None, call)
            case Synced():
                self._sync(at, call)

    def _open(self, at: int, call: Opened) -> None:
        folder, name = self._place(call.path)
        if name not in self._folders[folder]:
            self._name(at, call.path, self._new(folder=False), call)
            if self._in_order is not None and self._in_order in name:
                self._orderly.add(self._folders[folder][name])
        file = self._files[self._folders[folder][name]]
        file.position, file.append = 0, call.append
        if call.truncate and file.content:
            self._resize(at, Resized(begun=call.begun, ended=call.ended, path=call.path, size=0))

    def _write(self, at: int, call: Call, offset: int, data: bytes) -> None:
        node = self._node(call.path)
        self._data(Step(at=at, ended=call.ended, node=node, offset=offset, data=data))

    def _resize(self, at: int, call: Resized) -> None:
        node = self._node(call.path)
        if not call.grow or call.size > len(self._files[node].content):
            self._data(Step(at=at, ended=call.ended, node=node, size=call.size))

    def _data(self, step: Step) -> None:
        self._keep(step)
        _change(self._files[step.node].content, step, len(step.data))

    def _rename(self, at: int, call: Renamed) -> None:
        source, target = self._place(call.path), self._place(call.target)
        node = self._folders[source[0]][source[1]]
        self._rewire(at, call, target[0], ((*source, None), (*target, node)))

    def _name(self, at: int, path: str, node: int | None, call: Call) -> None:
        folder, name = self._place(path)
        self._rewire(at, call, folder, ((folder, name, node),))

    def _rewire(
        self, at: int, call: Call, folder: int, names: tuple[tuple[int, str, int | None], ...]
    ) -> None:
        self._keep(Step(at=at, ended=call.ended, node=folder, names=names))
        for parent, name, node in names:
            _set(self._folders[parent], name, node)

    def _keep(self, step: Step) -> None:
        self.steps.append(step)
        self._unsure.setdefault(step.node, []).append(step)

    def _sync(self, at: int, call: Synced) -> None:
        node = self._node(call.path)
        later = []
        for step in self._unsure.pop(node, []):
            if step.ended <= call.begun:
                step.sure = at + 1
            else:
                later.append(step)
        self._unsure[node] = later

    def _new(self, *, folder: bool) -> int:
        node = len(self._folders) + len(self._files)
        if folder:
            self._folders[node] = {}
        else:
            self._files[node] = _File()
        return node

    def _place(self, path: str) -> tuple[int, str]:
        parent, _, name = path.rpartition("/")
        return self._node(parent), name

    def _node(self, path: str) -> int:
        node = ROOT
        for name in filter(None, path.split("/")):
            node = self._folders[node][name]
        return node


def _set(names: dict[str, int], name: str, node: int | None) -> None:
    if node is None:
        names.pop(name, None)
    else:
        names[name] = node


def _change(content: bytearray, step: Step, length: int) -> None:
    if step.size is not None:
        content[step.size :] = bytes(max(0, step.size - len(content)))
        return
    content.extend(bytes(max(0, step.offset + length - len(content))))
    content[step.offset : step.offset + length] = step.data[:length]
