"""Log lines on stderr in the form of Fabric's commands.

``2026-01-02 03:04:05.678 UTC 0001 INFO [chaincodeCmd] invoke -> text``; coloured on a terminal.
"""

from __future__ import annotations

import itertools
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TextIO

from treadle_peer.config import LogSpec, parse_logging_spec

_LEVELS = {"debug": 10, "info": 20, "warning": 30, "error": 40}
_SHORT = {"debug": "DEBU", "info": "INFO", "warning": "WARN", "error": "ERRO"}
_COLOURS = {"debug": "36", "info": "34", "warning": "33", "error": "31"}


@dataclass(frozen=True, slots=True)
class CommandLog:
    """Where a command reports what it does; *spec* decides which lines appear."""

    spec: LogSpec = field(default_factory=lambda: parse_logging_spec("info"))
    stream: TextIO = field(default_factory=lambda: sys.stderr)
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def info(self, module: str, function: str, text: str) -> None:
        """One line of progress."""
        self._write("info", module, function, text)

    def warning(self, module: str, function: str, text: str) -> None:
        """One line about something doubtful."""
        self._write("warning", module, function, text)

    def error(self, module: str, function: str, text: str) -> None:
        """One line about a failure."""
        self._write("error", module, function, text)

    def _write(self, level: str, module: str, function: str, text: str) -> None:
        if _LEVELS[level] < self.spec.loggers.get(module, self.spec.default):
            return
        moment = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]
        head = f"{moment} UTC {next(self._numbers):04x} {_SHORT[level]}"
        if self.stream.isatty():
            head = f"\x1b[{_COLOURS[level]}m{head}\x1b[0m"
            function = f"\x1b[{_COLOURS[level]};1m{function}\x1b[0m"
        self.stream.write(f"{head} [{module}] {function} -> {text}\n")
        self.stream.flush()
