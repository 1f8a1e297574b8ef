"""``treadle dev connect`` at a terminal: the command is in front, as if a shell had started it."""

from __future__ import annotations

import os
import pty
import re
import select
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from harness.developing import TREADLE
from harness.processes import Deadline

NOBODY = "127.0.0.1:1"
# The terminal's group is the eighth word there. Before it is the command's, Ctrl-C is not, either.
IN_FRONT = 'until [ "$(cut -d" " -f8 /proc/$$/stat)" = $$ ]; do sleep 0.05; done'


class Shell:
    """An interactive bash at a terminal of its own."""

    def __init__(self, folder: Path) -> None:
        self._master, slave = pty.openpty()
        environment = os.environ | {"PS1": "", "TERM": "dumb"}
        self._process = subprocess.Popen(
            ["bash", "--norc", "--noediting", "-i"],
            stdin=slave, stdout=slave, stderr=slave, cwd=folder, env=environment,
            preexec_fn=_own_terminal,
        )  # fmt: skip
        os.close(slave)
        self._seen = ""

    def type(self, text: str) -> None:
        os.write(self._master, text.encode())

    def until(self, pattern: str, *, within: float = 60) -> re.Match[str]:
        """The first match in what has not been matched yet."""
        end = time.monotonic() + within
        while (found := re.search(pattern, self._seen)) is None:
            ready, _, _ = select.select([self._master], [], [], max(0, end - time.monotonic()))
            if not ready:
                raise Deadline(f"no {pattern!r} within {within:g} s in:\n{self._seen}")
            self._seen += os.read(self._master, 65536).decode(errors="replace")
        self._seen = self._seen[found.end() :]
        return found

    def end(self) -> None:
        self._process.send_signal(signal.SIGHUP)
        try:
            self._process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        os.close(self._master)


def _own_terminal() -> None:
    import fcntl
    import termios

    os.setsid()
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Shell]:
    if shutil.which("bash") is None:
        pytest.skip("bash is not installed; it is the shell that these tests type into")
    made = Shell(tmp_path)
    yield made
    made.end()


def connect(command: str, *options: str) -> str:
    words = [*TREADLE, "dev", "connect", "--peer", NOBODY, "--id", "a:1", *options, "--"]
    return " ".join(words) + f" {command}; echo code=$?\n"


def test_the_command_reads_from_the_terminal_and_has_it_for_itself(shell: Shell) -> None:
    shell.type(connect('python3 -i -c \'import sys; print(sys.stdin.isatty(), "rea" + "dy")\''))
    shell.until("True ready")
    # Interrupted just before its prompt, an interpreter says so only after the next key.
    shell.type("import time; print(6 * 7 + 1000); time.sleep(300)\n")
    shell.until("1042")
    # Ctrl-C is the interpreter's, and it goes on.
    shell.type("\x03")
    shell.until("KeyboardInterrupt")
    shell.type("raise SystemExit(9)\n")
    shell.until("code=9")


def test_ctrl_c_ends_a_command_that_does_not_want_it(shell: Shell) -> None:
    shell.type(connect("sh -c 'echo rea\"\"dy; exec sleep 300'"))
    shell.until("ready")
    shell.type("\x03")
    shell.until("code=130")


def test_ctrl_c_also_ends_the_waiting_for_a_change(shell: Shell) -> None:
    shell.type(connect("sh -c 'exit 4'", "--watch", "."))
    shell.until("ended with exit code 4; waiting for a change")
    shell.type("\x03")
    shell.until("code=130")


@pytest.mark.parametrize("code", [1, 130])
def test_ctrl_c_ends_a_watched_command_whatever_its_exit_code(shell: Shell, code: int) -> None:
    script = f'trap "exit {code}" INT; {IN_FRONT}; echo rea""dy; sleep 300 & wait'
    shell.type(connect(f"sh -c '{script}'", "--watch", "."))
    shell.until("ready")
    shell.type("\x03")
    shell.until(rf"code={code}\s")


def test_a_watched_command_that_only_fails_waits_for_a_change_at_a_terminal(shell: Shell) -> None:
    shell.type(connect("python3 -i -c 'print(1000 + 42)'", "--watch", "."))
    shell.until("1042")
    shell.type("import os; os._exit(6)\n")
    shell.until("ended with exit code 6; waiting for a change")
    shell.type("\x03")
    shell.until("code=130")


@pytest.mark.parametrize("waitid", [True, False], ids=["waitid", "no waitid"])
def test_ctrl_z_leads_to_the_shell_and_fg_back_to_the_command(
    shell: Shell, tmp_path: Path, waitid: bool
) -> None:
    if not waitid:  # as on macOS before Python 3.13
        (tmp_path / "sitecustomize.py").write_text("import os\n\ndel os.waitid\n")
        shell.type(f"export PYTHONPATH={tmp_path}\n")
    shell.type(connect('python3 -i -c \'print("rea" + "dy")\''))
    shell.until("ready")
    # Who reads from the terminal has it.
    shell.type("print(6 * 7 + 2000)\n")
    shell.until("2042")
    shell.type("\x1a")
    shell.until("Stopped")
    shell.type("echo in the $((40 + 2))th shell\n")
    shell.until("in the 42th shell")
    shell.type("fg\n")
    shell.until("dev connect")
    shell.type("print(6 * 7 + 1000)\n")
    shell.until("1042")
    shell.type("raise SystemExit(0)\n")
    shell.type("echo back in the $((40 + 2))th shell\n")
    shell.until("back in the 42th shell")
