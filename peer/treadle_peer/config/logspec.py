"""``FABRIC_LOGGING_SPEC``: ``module,module=level:level`` to levels per logger.

Used at start and by the operations service's ``/logspec``.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

DEFAULT_SPEC = "info"

# Fabric's level names; panic and fatal leave only what ends the process.
_LEVELS = {
    "debug": logging.DEBUG,
    "payload": logging.DEBUG,
    "info": logging.INFO,
    "warning": logging.WARNING,
    "warn": logging.WARNING,
    "error": logging.ERROR,
    "dpanic": logging.CRITICAL,
    "panic": logging.CRITICAL,
    "fatal": logging.CRITICAL,
}

# Fabric's logger names that have a counterpart here.
_LOGGERS = {
    "chaincode": "treadle_peer.chaincode",
    "dockercontroller": "treadle_peer.chaincode.launch",
    "endorser": "treadle_peer.endorse",
    "committer": "treadle_peer.commit",
    "vscc": "treadle_peer.commit",
    "ledger": "treadle_peer.ledger",
    "kvledger": "treadle_peer.ledger",
    "ledgermgmt": "treadle_peer.ledger",
    "orderer": "treadle_peer.order",
    "deliver": "treadle_peer.services",
    "peer": "treadle_peer",
    "nodeCmd": "treadle_peer.main",
    "msp": "treadle_fabric.msp",
    "policies": "treadle_fabric.policy",
    "cauthdsl": "treadle_fabric.policy",
}

_MODULE = re.compile(r"[A-Za-z0-9_#:.+-]+")


@dataclass(frozen=True, slots=True)
class LogSpec:
    """A parsed specification: ``text`` as given, the default level, levels by Python logger."""

    text: str
    default: int = logging.INFO
    loggers: Mapping[str, int] = field(default_factory=dict)


def parse_logging_spec(text: str) -> LogSpec:
    """Parse *text*; raises ValueError with Fabric's text. Unknown modules are kept as loggers."""
    default = logging.INFO
    loggers: dict[str, int] = {}
    for part in text.split(":"):
        if not part:
            continue
        modules, separator, level_name = part.rpartition("=")
        level = _LEVELS.get(level_name.lower())
        if level is None:
            raise ValueError(f"invalid logging specification '{text}': bad segment '{part}'")
        if not separator:
            default = level
            continue
        for module in modules.split(","):
            if not _MODULE.fullmatch(module) or "=" in module:
                raise ValueError(f"invalid logging specification '{text}': bad segment '{part}'")
            loggers[_LOGGERS.get(module.split(".")[0], module)] = level
    return LogSpec(text=text, default=default, loggers=loggers)
