"""What a child of ours does, on systems with waitid and without."""

from __future__ import annotations

import os
import subprocess
from typing import Final

ENDED: Final = 0


def change(process: subprocess.Popen[bytes]) -> int | None:
    """ENDED, or the signal that has stopped it and was not told of yet; None: nothing new.

    One that has ended keeps its number until ``process.wait()`` — but not on macOS before Python
    3.13, which has no waitid: there nobody can look without taking it away.
    """
    if not hasattr(os, "waitid"):
        return _taken(process)
    if os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None:
        return ENDED
    stopped = os.waitid(os.P_PID, process.pid, os.WSTOPPED | os.WNOHANG)
    return None if stopped is None else stopped.si_status


def _taken(process: subprocess.Popen[bytes]) -> int | None:
    pid, status = os.waitpid(process.pid, os.WNOHANG | os.WUNTRACED)
    if pid == 0:
        return None
    if os.WIFSTOPPED(status):
        return os.WSTOPSIG(status)
    # Popen cannot ask for it any more, and would say 0.
    process.returncode = os.waitstatus_to_exitcode(status)
    return ENDED
