"""start.sh: a chaincode whose peer goes is started anew, one that crashes is not; in any shell."""

from __future__ import annotations

import os
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from harness.peers import unused_port
from harness.pods import PodFolders
from harness.processes import Started, wait_until
from treadle_peer.chaincode.recipes import recipe_for, write_probe
from treadle_peer.pods.running import Running, write_start
from treadle_peer.pods.told import Told

pytestmark = [pytest.mark.toolchain("node"), pytest.mark.timeout(120)]

SHELLS = [["dash"], ["busybox", "sh"]]


@pytest.fixture(params=SHELLS, ids=" ".join)
def shell(request: pytest.FixtureRequest) -> list[str]:
    line: list[str] = request.param
    return line


class Pod(PodFolders):
    """One whose chaincode is a few lines of shell."""

    def runs(self, lines: str) -> None:
        """Each start is one line in ``starts``."""
        script = self.chaincode / "output" / "run.sh"
        script.write_text(f"echo $$ >>'{self.folder}/starts'\n{lines}\n")

    def pids(self) -> list[int]:
        """Of all its starts."""
        file = self.folder / "starts"
        return [int(line) for line in file.read_text().split()] if file.exists() else []

    def wait_for_start(self, number: int) -> None:
        wait_until(lambda: len(self.pids()) >= number, within=30, what=f"start {number}")


@pytest.fixture
def pod(tmp_path: Path) -> Iterator[Pod]:
    made = Pod(folder=tmp_path, ccid="asset:1", language="node", peer=f"127.0.0.1:{unused_port()}")
    output = made.chaincode / "output"
    output.mkdir(parents=True)
    recipe = recipe_for("node", work=tmp_path, path="")
    write_probe(recipe)
    (tmp_path / "probe" / recipe.probe).rename(output / recipe.probe)
    told = Told(peer=made.peer, certificate=made.certificate, patience=1)
    running = Running(
        folder=made.chaincode, ccid="asset:1", language="node", msp_id="Org1MSP", sha256=""
    )
    write_start(told, running)
    yield made
    made.end()


@contextmanager
def listening(address: str) -> Iterator[None]:
    """Somebody at the peer's address."""
    host, _, port = address.rpartition(":")
    with socket.create_server((host, int(port))):
        yield


@pytest.mark.parametrize(("ended", "code"), [("exit 7", 7), ("exit 0", 1), ("kill -9 $$", 137)])
def test_a_crash_beside_a_living_peer_ends_the_container(
    pod: Pod, shell: list[str], ended: str, code: int
) -> None:
    pod.runs(ended)
    with listening(pod.peer):
        started = pod.start(shell)
        assert started.wait(within=30) == code
    assert "the chaincode ended by itself, with exit code" in started.text()
    assert len(pod.pids()) == 1


def test_a_chaincode_waits_for_its_peer_and_is_started_again(pod: Pod, shell: list[str]) -> None:
    away = f"{pod.folder}/away"
    pod.runs(f"[ ! -e '{away}' ] || exit 3\nexec sleep 60")
    Path(away).touch()
    started = pod.start(shell)
    started.wait_for_text(f"the peer at {pod.peer} is away; the chaincode waits", within=30)
    Path(away).unlink()
    assert len(pod.pids()) == 1, "nothing is started while nobody answers"
    with listening(pod.peer):
        back = time.monotonic()
        pod.wait_for_start(2)
        assert time.monotonic() - back < 10
        assert started.running()


def test_a_peer_that_does_not_admit_yet_is_tried_again(pod: Pod, shell: list[str]) -> None:
    pod.runs("exit 3")
    started = pod.start(shell)
    started.wait_for_text("is away", within=30)
    with listening(pod.peer):
        assert started.wait(within=60) == 3
    assert len(pod.pids()) == 5, "once before, then four times"


@pytest.mark.parametrize("waiting", [False, True])
def test_the_signal_that_ends_a_pod_ends_everything_in_it(
    pod: Pod, shell: list[str], waiting: bool
) -> None:
    # A shell around the program, as npm has it: it does not pass the signal on.
    pod.runs("exit 3" if waiting else "sleep 61 & echo $! >>\"$0.child\"; trap '' TERM; wait")
    started = pod.start(shell)
    if waiting:
        started.wait_for_text("is away", within=30)
    else:
        wait_until(lambda: child_of(pod) > 0, within=30, what="the program")
    began = time.monotonic()
    os.kill(started.pid, signal.SIGTERM)
    assert started.wait(within=20) == 0
    assert time.monotonic() - began < 10
    if not waiting:
        wait_until(lambda: not alive(child_of(pod)), within=10, what="the program's end")


def test_a_signal_while_the_peer_is_looked_for_starts_nothing_more(
    pod: Pod, shell: list[str]
) -> None:
    looking, finds = pod.folder / "looking", pod.folder / "finds"
    (pod.chaincode / "output" / "probe.js").write_text(
        "const fs = require('fs');\n"
        f"const [before, looking, finds] = ['{pod.folder}/before', '{looking}', '{finds}'];\n"
        "if (!fs.existsSync(before)) { fs.writeFileSync(before, ''); process.exit(3); }\n"
        "fs.writeFileSync(looking, '');\n"
        "const look = () => fs.existsSync(finds) ? process.exit(0) : setTimeout(look, 20);\n"
        "look();\n"
    )
    pod.runs("exit 3")
    started = pod.start(shell)
    wait_until(looking.exists, within=30, what="the second look at the peer")
    os.kill(started.pid, signal.SIGTERM)
    finds.touch()
    assert started.wait(within=20) == 0
    assert len(pod.pids()) == 1


def child_of(pod: Pod) -> int:
    file = pod.chaincode / "output" / "run.sh.child"
    return int(file.read_text() or 0) if file.exists() else 0


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_what_the_user_set_for_logging_stays_and_what_names_the_chaincode_does_not(
    pod: Pod, shell: list[str]
) -> None:
    pod.runs("env; exit 4")
    settings = {"CORE_CHAINCODE_LOGGING_LEVEL": "debug", "CORE_CHAINCODE_ID_NAME": "other:1"}
    with listening(pod.peer):
        started: Started = pod.start(shell, **settings)
        assert started.wait(within=30) == 4
    told = dict(line.split("=", 1) for line in started.text().splitlines() if "=" in line)
    assert told["CORE_CHAINCODE_LOGGING_LEVEL"] == "debug"
    assert told["CORE_CHAINCODE_LOGGING_SHIM"] == "warning"
    assert told["CORE_CHAINCODE_ID_NAME"] == "asset:1"
    assert told["CORE_PEER_ADDRESS"] == pod.peer
    assert told["CORE_TLS_CLIENT_KEY_PATH"] == str(pod.certificate / "client.key.b64")
    assert told["CORE_TLS_CLIENT_CERT_FILE"] == str(pod.certificate / "client.crt")
    assert told["HOME"] == "/tmp"
