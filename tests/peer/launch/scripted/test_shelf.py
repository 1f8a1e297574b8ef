"""Builds that nobody needs any more go; the others stay, whatever happens."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from harness.supported import until
from treadle_fabric.durable import sync_tree
from treadle_peer.chaincode.launch.shelf import SPARE

MANY = SPARE + 3


@pytest.fixture
def versions(project: Callable[[str], Path], dialler: str) -> Callable[..., list[str]]:
    """Installs so many versions, each with code of its own."""

    def install(bench: Any, number: int, first: int = 0) -> list[str]:
        return [
            bench.install(project(f"{dialler}\n# {n}\n"), language="python", version=str(n))
            for n in range(first, first + number)
        ]

    return install


def builds(bench: Any) -> set[str]:
    return {each.parent.name for each in (bench.folder / "launcher" / "builds").glob("*/complete")}


async def come_down_to(bench: Any, number: int) -> None:
    await until(lambda: len(builds(bench)) == number)


async def launch_and_end(bench: Any, ccid: str) -> str:
    """The name of its build."""
    before = builds(bench)
    await bench.launch(ccid)
    (made,) = builds(bench) - before
    await bench.launcher.stop(ccid)
    return str(made)


async def test_builds_of_superseded_versions_go_but_for_the_last_few(
    make_bench: Any, script_builder: Any, versions: Any
) -> None:
    bench = await make_bench(builders={"python": script_builder()})
    made = [await launch_and_end(bench, ccid) for ccid in versions(bench, MANY)]
    # The last one was running when what is old was looked for.
    await come_down_to(bench, SPARE + 1)
    assert builds(bench) == set(made[-SPARE - 1 :])


async def test_what_a_channel_defines_or_runs_is_never_removed_and_found_again(
    make_bench: Any, script_builder: Any, versions: Any
) -> None:
    builder = script_builder()
    bench = await make_bench(builders={"python": builder})
    first, second, *others = versions(bench, MANY + 2)
    bench.defined.add(first)
    needed = {await launch_and_end(bench, first)}
    await bench.launch(second)
    needed = builds(bench)
    for ccid in others:
        await launch_and_end(bench, ccid)
    await come_down_to(bench, SPARE + 3)
    assert needed <= builds(bench)

    await bench.launcher.close()
    later = await make_bench(builders={"python": builder})
    later.defined.add(first)
    (another,) = versions(later, 1, first=MANY + 2)
    await later.launch(another)
    await come_down_to(later, SPARE + 2)
    runs = len(builder.runs)
    await later.launch(first)
    assert len(builder.runs) == runs


async def test_what_failed_builds_left_goes_too(
    make_bench: Any, script_builder: Any, versions: Any
) -> None:
    bench = await make_bench(builders={"python": script_builder(commands=[["false"]])})
    for ccid in versions(bench, MANY):
        with pytest.raises(Exception, match="false failed with exit code 1"):
            await bench.launcher.launch(ccid)
    folder = bench.folder / "launcher" / "builds"
    await until(lambda: len([each for each in folder.iterdir() if each.is_dir()]) <= SPARE + 1)


def test_links_and_pipes_in_what_was_built_are_names_and_nothing_more(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    (tmp_path / "to nothing").symlink_to("nowhere")
    (tmp_path / "to itself").symlink_to("to itself")
    os.mkfifo(tmp_path / "pipe")
    sync_tree(tmp_path)
