"""The last step before a launched program: limits, and death together with the peer.

Run as a script by a bare interpreter (``python -I -S child.py PARENT DATA_LIMIT PROGRAM ARGS..``).
A process of its own instead of code between fork and exec: the peer has threads, and a forked
thread's locks are nobody's. Imports nothing that costs time.
"""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import sys

_PR_SET_PDEATHSIG = 1
_CANNOT_EXECUTE = 126
_NOT_FOUND = 127


def main(arguments: list[str]) -> int:
    """Take the limits and become the program; returns only when that fails."""
    parent, data_limit, program = int(arguments[0]), int(arguments[1]), arguments[2:]
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        return _CANNOT_EXECUTE  # the peer died before the signal was ordered
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if data_limit > 0:
        resource.setrlimit(resource.RLIMIT_DATA, (data_limit, data_limit))
    # Python ignores SIGPIPE, and an ignored signal stays ignored across exec.
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    try:
        os.execvp(program[0], program)  # noqa: S606 - no shell is wanted
    except OSError as error:
        sys.stderr.write(f"cannot start {program[0]}: {error.strerror}\n")
        return _NOT_FOUND if isinstance(error, FileNotFoundError) else _CANNOT_EXECUTE


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
