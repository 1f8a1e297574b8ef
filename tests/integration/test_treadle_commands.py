"""``treadle demo``, ``play`` and ``ps`` as their users run them."""

from __future__ import annotations

import json
import os
import re
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from harness.chaincodes import built
from harness.processes import Started, wait_until

TREADLE = [sys.executable, "-m", "treadle_cli.main"]
EXAMPLES = Path(__file__).resolve().parents[2] / "examples" / "play"
START = re.compile(r"CORE_CHAINCODE_ID_NAME=\S+ .*<chaincode> -peer\.address \S+")

Run = Callable[..., Started]


@pytest.fixture
def treadle(tmp_path: Path) -> Iterator[Run]:
    """Start ``treadle …``; its temporary folders lie below the test's."""
    started: list[Started] = []
    scratch = tmp_path / "tmp"
    scratch.mkdir()

    def run(*arguments: str, environment: dict[str, str] | None = None) -> Started:
        bare = {name: text for name, text in os.environ.items() if not name.startswith("CORE_")}
        process = Started(
            [*TREADLE, *arguments],
            output=tmp_path / f"treadle-{len(started)}.log",
            environment=bare | {"TMPDIR": str(scratch)} | (environment or {}),
            cwd=tmp_path,
        )
        started.append(process)
        return process

    yield run
    for process in started:
        process.stop()


def left_behind(tmp_path: Path) -> list[str]:
    """What the command left in its temporary folder."""
    return [entry.name for entry in (tmp_path / "tmp").iterdir()]


@pytest.mark.timeout(400)
@pytest.mark.parametrize(
    "language",
    [
        "python",
        pytest.param("go", marks=pytest.mark.toolchain("go")),
        pytest.param("node", marks=pytest.mark.toolchain("node")),
        pytest.param("java", marks=pytest.mark.toolchain("java")),
    ],
)
def test_the_demo_tells_both_modes_and_leaves_nothing(
    language: str, treadle: Run, tmp_path: Path
) -> None:
    demo = treadle("demo", "--language", language)
    assert demo.wait(within=180) == 0, demo.text()
    told = demo.text()
    assert told.index("Production mode") < told.index("Development mode") < told.index("Done in")
    assert '"version":"1"' in told
    assert '"version":"2"' in told
    assert "✗" not in told
    assert [name for name in left_behind(tmp_path) if name.startswith("treadle")] == []


@pytest.mark.timeout(120)
def test_an_interrupted_demo_ends_everything(treadle: Run, tmp_path: Path) -> None:
    demo = treadle("demo")
    demo.wait_for_text("install accounts:1", within=60)
    os.kill(demo.pid, signal.SIGINT)
    assert demo.wait(within=60) == 130, demo.text()
    assert [name for name in left_behind(tmp_path) if name.startswith("treadle")] == []


@pytest.mark.timeout(300)
def test_play_runs_production_and_ps_shows_one_process_for_two_channels(
    treadle: Run, tmp_path: Path
) -> None:
    play = treadle("play", "-f", str(EXAMPLES / "production"), "--free-ports")
    play.wait_for_text("accounts-second", within=240)
    wait_until(lambda: play.text().count("Ready") == 2, within=60, what="both being ready")
    operations = re.findall(r"operations (\S+)", play.text())[0]
    listing = treadle("ps", "--operations", operations, "-o", "json")
    assert listing.wait(within=30) == 0
    rows = json.loads(listing.text())
    assert [(row["ccid"], row["state"], row["owner"]) for row in rows] == [
        ("accounts:1", "registered", "managed")
    ]
    os.kill(play.pid, signal.SIGINT)
    assert play.wait(within=60) == 0, play.text()
    assert [name for name in left_behind(tmp_path) if name.startswith("treadle")] == []


@pytest.mark.timeout(120)
@pytest.mark.toolchain("go")
@pytest.mark.parametrize("example", ["development", "mixed"])
def test_play_waits_for_the_developers_process(example: str, treadle: Run, tmp_path: Path) -> None:
    play = treadle("play", "-f", str(EXAMPLES / example), "--free-ports")
    play.wait_for_text("is yours to start", within=100)
    line = START.findall(play.text())[0].replace("<chaincode>", str(built("go") / "chaincode"))
    assert "Waiting" in play.text()
    chaincode = Started(["env", *line.split()], output=tmp_path / "chaincode.log")
    try:
        play.wait_for_text("Development   Ready", within=30)
        chaincode.stop()
        play.wait_for_text("Development   Stopped", within=30)
    finally:
        chaincode.stop()
    os.kill(play.pid, signal.SIGTERM)
    assert play.wait(within=60) == 0, play.text()


@pytest.mark.timeout(120)
def test_a_played_ledger_is_kept_continued_and_verified(treadle: Run, tmp_path: Path) -> None:
    files = tmp_path / "net"
    files.mkdir()
    (files / "peer.yaml").write_text(
        "apiVersion: treadle.dev/v1alpha1\nkind: Peer\nmetadata: {name: p}\n"
        "spec: {channels: [{name: one}, {name: two}]}\n"
    )
    data = tmp_path / "data"
    for _ in range(2):
        play = treadle("play", "-f", str(files), "--data", str(data), "--free-ports")
        play.wait_for_text("create and join channel two", within=60)
        refused = treadle("ledger", "verify", str(data))
        assert refused.wait(within=30) == 1
        os.kill(play.pid, signal.SIGTERM)
        assert play.wait(within=60) == 0, play.text()
    verified = treadle("ledger", "verify", str(data), "-o", "json")
    assert verified.wait(within=60) == 0
    assert json.loads(verified.text()) == [
        {"channel": "one", "height": 1, "problems": []},
        {"channel": "two", "height": 1, "problems": []},
    ]


@pytest.mark.timeout(60)
def test_a_second_signal_ends_play_at_once(treadle: Run, tmp_path: Path) -> None:
    (tmp_path / "peer.yaml").write_text(
        "apiVersion: treadle.dev/v1alpha1\nkind: Peer\nmetadata: {name: p}\nspec: {}\n"
    )
    play = treadle("play", "-f", "peer.yaml", "--free-ports", "--data", "data")
    play.wait_for_text("client files in", within=30)
    os.kill(play.pid, signal.SIGTERM)
    os.kill(play.pid, signal.SIGINT)
    assert play.wait(within=30) == 130
    assert "stopped at once by a second signal" in play.text()


@pytest.mark.timeout(60)
@pytest.mark.parametrize("signals", [[signal.SIGTERM], [signal.SIGINT, signal.SIGTERM]])
def test_a_bridge_says_what_it_waits_for(signals: list[signal.Signals], treadle: Run) -> None:
    bridge = treadle("bridge", "--peer", "127.0.0.1:1", "--chaincode", "127.0.0.1:2")
    bridge.wait_for_text("joining chaincode server 127.0.0.1:2 to the peer 127.0.0.1:1", within=30)
    bridge.wait_for_text("chaincode server: 127.0.0.1:2 could not be reached", within=30)
    for number in signals:
        os.kill(bridge.pid, number)
    assert bridge.wait(within=30) == (0 if len(signals) == 1 else 130)


@pytest.mark.timeout(60)
def test_a_port_that_is_taken_is_one_clear_line(treadle: Run, tmp_path: Path) -> None:
    (tmp_path / "peer.yaml").write_text(
        "apiVersion: treadle.dev/v1alpha1\nkind: Peer\nmetadata: {name: p}\nspec: {}\n"
    )
    first = treadle("play", "-f", "peer.yaml", "--free-ports", "--data", "data")
    first.wait_for_text("client files in", within=30)
    second = treadle("play", "-f", "peer.yaml", "--free-ports", "--data", "data")
    assert second.wait(within=30) == 1
    assert "treadle: " in second.text()
    assert "Traceback" not in second.text()
