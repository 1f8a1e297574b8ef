"""Whether Ctrl-C was typed to the developer's command: the terminal tells it only to its group.

Its exit code does not: virtual machines and shells end with 130, ``go run`` with 1, and who handles
the signal with what they like. So a program that does nothing is a member of the group, too, and
dies of it.
"""

from __future__ import annotations

import asyncio
import signal
import subprocess
from collections.abc import Callable
from typing import Final

_JUST_NOW_SECONDS: Final = 5.0

Member = Callable[[], subprocess.Popen[bytes] | None]


class Keyboard:
    """Ctrl-C as one group gets it; *member* starts a program that does nothing, or cannot."""

    def __init__(self, member: Member) -> None:
        self._start = member
        self._member = member()
        self._typed: float | None = None

    def look(self) -> None:
        """A child of ours has ended: perhaps the member, while the command goes on."""
        if self._member is not None and self._member.poll() is not None:
            interrupted = self._note(self._member)
            self._member = self._start() if interrupted else None

    def over(self) -> bool:
        """Whether the command has ended by it. To be called when the whole group was killed."""
        if self._member is not None:
            # Of two signals the first one counts: SIGKILL does not hide it.
            self._member.kill()
            self._member.wait()
            self._note(self._member)
        if self._typed is None:
            return False
        # A debugger takes it, and its program may fail much later.
        return _now() - self._typed < _JUST_NOW_SECONDS

    def _note(self, member: subprocess.Popen[bytes]) -> bool:
        interrupted = member.returncode == -signal.SIGINT
        if interrupted:
            self._typed = _now()
        return interrupted


def _now() -> float:
    return asyncio.get_running_loop().time()
