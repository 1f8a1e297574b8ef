"""Builds: once per code, told while they run, understood when they fail."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path
from typing import Any

import pytest
from treadle_fabric.packages import (
    ImageReference,
    ServerReference,
    prebuilt_code,
    prebuilt_language,
    wrap_code,
)
from treadle_peer.chaincode.launch import Phase, proc
from treadle_peer.chaincode.launch.builders import Tool
from treadle_peer.chaincode.launch.builds import build_environment
from treadle_peer.execution import ExecutionError

PREFIX = "error building chaincode: error building image: "


async def failure(bench: Any, ccid: str) -> str:
    with pytest.raises(ExecutionError) as raised:
        await bench.launcher.launch(ccid)
    text = str(raised.value)
    assert text.startswith(PREFIX)
    return text.removeprefix(PREFIX)


def python(script: str) -> list[str]:
    return [sys.executable, "-c", script]


async def test_same_code_is_built_once_also_for_another_version(
    scripted: Any, script_builder: Any, project: Any
) -> None:
    builder = script_builder()
    bench, ccid = await scripted(builder=builder)
    source = next(bench.folder.glob("project-*"))
    other = bench.install(source, language="python", version="2")
    await bench.launch(ccid)
    await bench.launch(other)
    await bench.launch(ccid)
    assert len(builder.runs) == 1


async def test_same_code_wanted_twice_at_once_is_built_once(
    scripted: Any, script_builder: Any
) -> None:
    builder = script_builder()
    bench, ccid = await scripted(builder=builder)
    source = next(bench.folder.glob("project-*"))
    other = bench.install(source, language="python", version="2")
    await asyncio.gather(bench.launcher.launch(ccid), bench.launcher.launch(other))
    assert len(builder.runs) == 1


async def test_output_survives_a_restart_of_the_peer(
    scripted: Any, make_bench: Any, script_builder: Any
) -> None:
    bench, ccid = await scripted()
    await bench.launch(ccid)
    await bench.launcher.close()
    builder = script_builder()
    later = await make_bench(builders={"python": builder})
    await later.launch(ccid)
    assert builder.runs == []


async def test_build_that_was_cut_off_is_done_anew(
    scripted: Any, make_bench: Any, script_builder: Any
) -> None:
    bench, ccid = await scripted()
    await bench.launch(ccid)
    await bench.launcher.close()
    (complete,) = (bench.folder / "launcher" / "builds").glob("*/complete")
    complete.unlink()
    (complete.parent / "package" / "src" / "chaincode.py").write_text("half writ")
    builder = script_builder()
    later = await make_bench(builders={"python": builder})
    await later.launch(ccid)
    assert len(builder.runs) == 1


async def test_new_version_of_a_tool_builds_anew(
    scripted: Any, script_builder: Any, tmp_path: Path
) -> None:
    version = tmp_path / "version"
    version.write_text("1.0")
    tool = Tool(command="cat", version=(str(version),), remedy="install coreutils")
    builder = script_builder(needed=[tool])
    bench, ccid = await scripted(builder=builder)
    await bench.launch(ccid)
    version.write_text("2.0")
    await bench.launch(ccid)
    assert len(builder.runs) == 2


async def test_failing_build_shows_the_last_lines_and_is_tried_again(
    scripted: Any, script_builder: Any
) -> None:
    script = "print('main.go:7: undefined: shim'); print('https://me:pw@host/x'); exit(2)"
    builder = script_builder(commands=[python(script)])
    bench, ccid = await scripted(builder=builder)
    text = await failure(bench, ccid)
    assert text.endswith(
        " failed with exit code 2:\nmain.go:7: undefined: shim\nhttps://***@host/x"
    )
    status = bench.launcher.status(ccid)
    assert status.phase is Phase.FAILED
    assert status.last_error == PREFIX + text
    builder.commands = ()
    await bench.launch(ccid)


async def test_build_that_takes_too_long_is_ended_with_everything_it_started(
    scripted: Any, script_builder: Any, tmp_path: Path
) -> None:
    note = tmp_path / "pid"
    script = (
        "import subprocess, sys, time;"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)']);"
        f"open({str(note)!r}, 'w').write(str(child.pid)); print('fetching', flush=True);"
        "time.sleep(600)"
    )
    bench, ccid = await scripted(
        builder=script_builder(commands=[python(script)]), build_timeout=2.0
    )
    assert await failure(bench, ccid) == (
        "the build took longer than 2 s (treadle.chaincode.buildTimeout):\nfetching"
    )
    child = proc.stat_of(int(note.read_text()))
    assert child is None or not child.alive


async def test_while_it_builds_the_status_says_so(
    scripted: Any, script_builder: Any, tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    builder = script_builder(commands=[python(f"open({str(gate)!r}).read()")])
    bench, ccid = await scripted(builder=builder)
    launching = asyncio.create_task(bench.launcher.launch(ccid))
    writer = await asyncio.to_thread(gate.open, "w")  # returns once the build reads
    status = bench.launcher.status(ccid)
    assert status.phase is Phase.BUILDING
    assert status.patience == "still building (0 s); try again"
    writer.close()
    await launching
    assert bench.launcher.status(ccid).phase in (Phase.STARTING, Phase.REGISTERED)


async def test_closing_the_launcher_ends_a_running_build(
    scripted: Any, script_builder: Any, tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    script = f"import time; open({str(gate)!r}).read(); time.sleep(600)"
    bench, ccid = await scripted(builder=script_builder(commands=[python(script)]))
    launching = asyncio.create_task(bench.launcher.launch(ccid))
    (await asyncio.to_thread(gate.open, "w")).close()
    await bench.launcher.close()
    assert launching.cancelled()
    assert list((bench.folder / "launcher" / "running").iterdir()) == []


async def test_giving_up_waiting_ends_an_unwanted_build(
    scripted: Any, script_builder: Any, tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    bench, ccid = await scripted(
        builder=script_builder(commands=[python(f"open({str(gate)!r}).read()")])
    )
    launching = asyncio.create_task(bench.launcher.launch(ccid))
    writer = await asyncio.to_thread(gate.open, "w")
    launching.cancel()
    with pytest.raises(asyncio.CancelledError):
        await launching
    writer.close()
    assert bench.launcher.status(ccid).phase is Phase.FAILED


async def test_missing_tool_is_named_with_what_to_install(
    scripted: Any, script_builder: Any
) -> None:
    tool = Tool(command="fortranish", version=("-V",), remedy="install Fortran")
    bench, ccid = await scripted(builder=script_builder(needed=[tool]))
    assert await failure(bench, ccid) == (
        "fortranish is not installed on the machine of this peer (not in its PATH); install Fortran"
    )


async def test_broken_tool_is_named_with_its_words(scripted: Any, script_builder: Any) -> None:
    tool = Tool(command="cat", version=("/nowhere/file",), remedy="install coreutils")
    bench, ccid = await scripted(builder=script_builder(needed=[tool]))
    text = await failure(bench, ccid)
    assert text.startswith("cat does not run; install coreutils:\n")
    assert "/nowhere/file" in text


async def test_package_without_code_says_how_it_came_about(scripted: Any) -> None:
    bench, _ = await scripted()
    raw = wrap_code(name="empty", version="1", language="python", path="x", code=b"")
    ccid = bench.packages.install(raw).ccid
    assert "holds no code: it was made in development mode" in await failure(bench, ccid)


@pytest.mark.parametrize(
    ("named", "sentence"),
    [
        (ImageReference(name="i", digest="sha256:" + "ab" * 32), "only names an image"),
        (ServerReference(address="a:1", secret=""), "only names a chaincode server"),
    ],
)
async def test_what_an_operator_runs_is_refused_without_one(
    scripted: Any, named: ImageReference | ServerReference, sentence: str
) -> None:
    bench, _ = await scripted()
    language, code = prebuilt_language(named), prebuilt_code(named)
    raw = wrap_code(name="named", version="1", language=language, path="x", code=code)
    ccid = bench.packages.install(raw).ccid
    told = await failure(bench, ccid)
    assert sentence in told
    assert "treadle.chaincode.launcher: operator" in told


async def test_language_without_builder_is_refused_with_fabrics_text(
    scripted: Any, project: Any
) -> None:
    bench, _ = await scripted()
    folder = project("")
    (folder / "package.json").write_text("{}")
    ccid = bench.install(folder, language="node", version="3")
    assert await failure(bench, ccid) == "unknown chaincodeType: NODE"


def test_toolchains_get_caches_and_mirrors_but_not_the_peers_own_variables() -> None:
    given = {
        "PATH": "/bin",
        "GOPROXY": "off",
        "npm_config_cache": "/c",
        "PIP_CERT": "/ca",
        "CORE_PEER_TLS_KEY_FILE": "/key",
        "AWS_SECRET_ACCESS_KEY": "no",
    }
    assert set(build_environment(given)) == {"PATH", "GOPROXY", "npm_config_cache", "PIP_CERT"}
