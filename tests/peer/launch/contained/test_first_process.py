"""What runs as process 1 of a container: it passes signals and codes on, and reaps."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from harness.process_one import NAMESPACE, alone
from harness.processes import wait_until
from treadle_peer.chaincode.launch.containers.starting import FIRST_PROCESS

# Python asks for no SIGTERM: as process 1 it would never get one.
DEAF = "import pathlib, time; pathlib.Path('{here}').touch(); time.sleep(60)"
# Process 1 and the script are two; orphans that have ended are to go soon. Then their number.
ORPHANS = """
for n in 1 2 3; do (true & ); done
for n in $(seq 200); do
    set -- /proc/[0-9]*
    [ $# -gt 2 ] || break
    sleep 0.05
done
echo $# > {left}
"""


Start = Callable[..., subprocess.Popen[bytes]]


@pytest.fixture
def started(tmp_path: Path) -> Iterator[Start]:
    """Starts a chaincode's script below what is process 1 in containers."""
    with ExitStack() as stack:

        def start(script: str, *, first: bool = False) -> subprocess.Popen[bytes]:
            file = tmp_path / "run.sh"
            file.write_text(script)
            command = ["/bin/sh", "-c", FIRST_PROCESS, str(file)]
            process = subprocess.Popen([*NAMESPACE, *command] if first else command)
            stack.enter_context(process)
            stack.callback(process.kill)
            return process

        yield start


def test_the_exit_code_is_the_chaincodes(started: Start) -> None:
    assert started("exit 3").wait(30) == 3
    assert started("kill -KILL $$").wait(30) == 137


def test_a_chaincode_that_asks_for_no_signal_ends_at_sigterm(
    started: Start, tmp_path: Path
) -> None:
    here = tmp_path / "here"
    script = f'exec python3 -c "{DEAF.format(here=here)}"'
    process = started(script)
    wait_until(here.exists, within=30, what="the chaincode running")
    process.send_signal(signal.SIGTERM)
    assert process.wait(20) == 128 + signal.SIGTERM


def test_as_process_1_it_passes_sigterm_on_and_leaves_no_zombies(
    started: Start, tmp_path: Path
) -> None:
    if not alone():
        pytest.skip("this machine gives nobody a process 1 of its own")
    here, left = tmp_path / "here", tmp_path / "left"
    script = ORPHANS.format(left=left) + f'exec python3 -c "{DEAF.format(here=here)}"'
    process = started(script, first=True)
    wait_until(here.exists, within=60, what="the chaincode running")
    assert left.read_text() == "2\n"
    (inner,) = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    subprocess.run(["kill", "-TERM", inner], check=True)
    assert process.wait(20) == 128 + signal.SIGTERM
