"""Log levels at run time: applies a specification to Python's loggers."""

from __future__ import annotations

import logging

from treadle_peer.config import LogSpec, parse_logging_spec

_ROOTS = ("treadle_peer", "treadle_fabric", "treadle_cli")


class LogControl:
    """Holds the active specification. Levels of loggers that a new one leaves out are reset."""

    def __init__(self) -> None:
        self._active = LogSpec(text="info")

    @property
    def spec(self) -> str:
        """The active specification, as given."""
        return self._active.text

    def activate(self, text: str) -> None:
        """Parse and apply *text*; raises ValueError and changes nothing when it is wrong."""
        spec = parse_logging_spec(text)
        for name in self._active.loggers:
            logging.getLogger(name).setLevel(logging.NOTSET)
        for name in _ROOTS:
            logging.getLogger(name).setLevel(spec.default)
        for name, level in spec.loggers.items():
            logging.getLogger(name).setLevel(level)
        self._active = spec
