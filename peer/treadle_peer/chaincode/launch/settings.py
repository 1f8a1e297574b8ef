"""What the launcher is told once, at the peer's start."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

MEBIBYTE: Final = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class LaunchSettings:
    """How production chaincode is built and run. Times are seconds, sizes bytes."""

    folder: Path
    """The launcher's own folder below the peer's: builds, logs, keys of running launches."""
    msp_id: str
    tls: bool
    """Whether 7052 has TLS; off, only the launched process group's own sockets are accepted."""
    build_timeout: float = 600.0
    startup_timeout: float = 300.0
    stop_grace: float = 5.0
    """Between SIGTERM and SIGKILL."""
    memory_bytes: int | None = None
    """Limit of each process's own data (RLIMIT_DATA); None for no limit."""
    log_bytes: int = 4 * MEBIBYTE
    """Size at which a log file is rotated; two older ones are kept."""
    logging_level: str = "info"
    shim_logging_level: str = "warning"
