"""The operations service without HTTP: every answer as a plain value."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from treadle_peer.services.metrics import Metrics
from treadle_peer.services.operations.logcontrol import LogControl

RuntimeView = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class HealthReport:
    """The health of the peer; ``failed`` maps component to reason."""

    failed: Mapping[str, str]
    time: datetime

    @property
    def healthy(self) -> bool:
        """Whether every check passed."""
        return not self.failed

    def as_json(self) -> dict[str, object]:
        """Fabric's form: status, time, failed_checks."""
        report: dict[str, object] = {
            "status": "OK" if self.healthy else "Service Unavailable",
            "time": self.time.isoformat().replace("+00:00", "Z"),
        }
        if self.failed:
            report["failed_checks"] = [
                {"component": component, "reason": reason}
                for component, reason in sorted(self.failed.items())
            ]
        return report


@dataclass(frozen=True, slots=True, kw_only=True)
class Operations:
    """Answers of the operations listener.

    ``checks`` maps component to a function that returns a reason when it is unwell;
    ``runtimes`` lists the active registry of chaincode processes.
    """

    version: str
    metrics: Metrics
    logs: LogControl
    runtimes: Callable[[], Sequence[RuntimeView]]
    checks: Mapping[str, Callable[[], str | None]] = field(default_factory=dict)

    def health(self) -> HealthReport:
        """Run all checks."""
        results = {component: check() for component, check in self.checks.items()}
        failed = {component: reason for component, reason in results.items() if reason}
        return HealthReport(failed=failed, time=datetime.now(UTC))

    def version_info(self) -> dict[str, str]:
        """Fabric's form of /version, without the commit: a wheel does not know it."""
        return {"Version": self.version}
