"""The terminal that we were started at, lent to the developer's command as a shell does."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import termios
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

_Attributes = list[int | list[bytes | int]]


@dataclass(frozen=True, slots=True)
class Terminal:
    """A terminal whose foreground we are; ``attributes`` are how we found it."""

    descriptor: int
    attributes: _Attributes

    @classmethod
    def of_ours(cls) -> Self | None:
        """That of the standard input; None where that is none, or where others are in front."""
        try:
            descriptor = sys.stdin.fileno()
            if os.tcgetpgrp(descriptor) != os.getpgrp():
                return None
            return cls(descriptor, termios.tcgetattr(descriptor))
        except (OSError, ValueError, AttributeError):
            return None

    def lend(self, group: int) -> None:
        """Keys, signals and reading go to the process group *group*, if we had them."""
        with self._quiet(), contextlib.suppress(OSError):
            if os.tcgetpgrp(self.descriptor) == os.getpgrp():
                os.tcsetpgrp(self.descriptor, group)

    def take_back(self) -> None:
        """They are ours again, in the modes that we found: a debugger may have left others."""
        with self._quiet(), contextlib.suppress(OSError, termios.error):
            os.tcsetpgrp(self.descriptor, os.getpgrp())
            termios.tcsetattr(self.descriptor, termios.TCSADRAIN, self.attributes)

    @contextlib.contextmanager
    def _quiet(self) -> Iterator[None]:
        """Who changes a terminal from the background is stopped, unless it blocks the signal."""
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTTOU})
        try:
            yield
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
