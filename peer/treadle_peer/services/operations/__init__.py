"""What the operations listener shows: health, version, log levels, metrics, runtimes."""

from treadle_peer.services.operations.logcontrol import LogControl
from treadle_peer.services.operations.service import HealthReport, Operations, RuntimeView

__all__ = ["HealthReport", "LogControl", "Operations", "RuntimeView"]
