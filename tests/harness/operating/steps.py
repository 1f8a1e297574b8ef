"""The outgoing calls of an operator in one order; one of them may be its last."""

from __future__ import annotations

import os
import signal
import threading
from dataclasses import dataclass, field

from harness.operating.proxy import Moment


@dataclass(slots=True)
class Steps:
    """``told`` are all calls since ``count_from_now``; SIGKILL to ``victim`` at call ``at``
    (from 1; 0: never), before it goes out or after its answer came back.
    """

    at: int = 0
    moment: Moment = "before"
    victim: int = 0
    told: list[str] = field(default_factory=list)
    counting: bool = False
    killed: bool = False
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def count_from_now(self) -> None:
        self.counting = True

    def begin(self, call: str) -> int:
        """The number of a call; 0 when it does not count."""
        with self._lock:
            if not self.counting:
                return 0
            self.told.append(call)
            return len(self.told)

    def act(self, number: int, moment: Moment) -> bool:
        """Whether the call goes on."""
        if self.killed or not number or (number, moment) != (self.at, self.moment):
            return True
        self.killed = True
        os.kill(self.victim, signal.SIGKILL)
        return False
