"""The power fails while chaincode is built: what counts as built is there whole."""

from __future__ import annotations

import random
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from harness.disk_calls import Call, Synced
from harness.disk_trace import trace_of, tracing
from harness.power_loss import Recording, Tree, Variant

CHILD = Path(__file__).with_name("building_child.py")
MARK = "complete"


@pytest.fixture(scope="module")
def calls(strace: None, tmp_path_factory: pytest.TempPathFactory) -> list[Call]:
    """Everything that a build does to the disk, its own programs' calls included."""
    root = tmp_path_factory.mktemp("building")
    (root / "project").mkdir()
    (root / "project" / "chaincode.py").write_text("print('built')\n" * 100)
    trace = root / "trace"
    subprocess.run([*tracing(trace), sys.executable, str(CHILD), str(root)], check=True)
    return trace_of(trace, root=root)


def states(calls: list[Call]) -> Iterator[Tree]:
    """What the disk may hold after a power loss at any of *calls*."""
    recording = Recording(calls)
    chance = random.Random(5)
    for cut in range(len(recording) + 1):
        for variant in Variant:
            yield recording.tree(cut, recording.survivors(cut, variant, chance))


def halves(calls: list[Call]) -> int:
    """In how many of the states something counts as built that is not there whole."""
    whole = built_files(Recording(calls).tree(len(calls), everything(calls)))
    assert {"output/deep/er/3", "package/src/chaincode.py"} <= set(whole)
    marked = [tree for tree in states(calls) if any(name.endswith(MARK) for name in tree)]
    assert marked
    return sum(1 for tree in marked if built_files(tree) != whole)


def everything(calls: list[Call]) -> dict[int, int]:
    recording = Recording(calls)
    return recording.survivors(len(recording), Variant.KEPT, random.Random(0))


def built_files(tree: Tree) -> dict[str, bytes | None]:
    """The files of the one build, by their path in it."""
    found = {}
    for name, content in tree.items():
        _, builds, inside = name.partition("/builds/")
        path = inside.partition("/")[2]
        if builds and path.startswith(("output/", "package/")):
            found[path] = content
    return found


def test_what_counts_as_built_after_a_power_loss_is_there_whole(calls: list[Call]) -> None:
    assert halves(calls) == 0


def test_and_would_not_be_without_its_syncs(calls: list[Call]) -> None:
    unsynced = [call for call in calls if not (isinstance(call, Synced) and "/output" in call.path)]
    assert halves(unsynced) > 0
