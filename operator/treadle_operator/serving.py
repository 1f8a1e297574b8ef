"""Health and metrics of the operator over HTTP."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from aiohttp import web
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest


@dataclass(slots=True)
class Metrics:
    """What the operator counts, in a registry of its own."""

    registry: CollectorRegistry = field(default_factory=CollectorRegistry)
    _reconciles: Counter = field(init=False)
    _seconds: Histogram = field(init=False)
    _calls: Counter = field(init=False)
    _waiting: Gauge = field(init=False)

    def __post_init__(self) -> None:
        prefix = "treadle_operator_"
        self._reconciles = Counter(
            f"{prefix}reconciles",
            "Reconciles by kind and outcome",
            ["kind", "outcome"],
            registry=self.registry,
        )
        self._seconds = Histogram(
            f"{prefix}reconcile_seconds", "Duration of reconciles", ["kind"], registry=self.registry
        )
        self._calls = Counter(
            f"{prefix}api_calls",
            "Calls to the API server; status 0 is no answer",
            ["verb", "resource", "status"],
            registry=self.registry,
        )
        self._waiting = Gauge(
            f"{prefix}waiting", "Objects that wait for a reconcile or are in one",
            registry=self.registry,
        )  # fmt: skip

    def reconciled(self, kind: str, outcome: str, seconds: float) -> None:
        """A reconcile has ended."""
        self._reconciles.labels(kind, outcome).inc()
        self._seconds.labels(kind).observe(seconds)

    def called(self, verb: str, resource: str, status: int) -> None:
        """The API server was asked."""
        self._calls.labels(verb, resource, str(status)).inc()

    def waiting(self, count: int) -> None:
        """So many keys are to be worked on."""
        self._waiting.set(count)

    def text(self) -> bytes:
        """All of it in Prometheus' text format."""
        return generate_latest(self.registry)


async def serve(
    host: str, port: int, *, metrics: Metrics, health: Callable[[], str | None]
) -> web.AppRunner:
    """Serve ``/healthz`` and ``/metrics``; the caller cleans the runner up.

    *health* gives a sentence when something is wrong. Raises OSError.
    """

    async def healthz(request: web.Request) -> web.Response:
        wrong = health()
        return web.Response(text=f"{wrong or 'ok'}\n", status=503 if wrong else 200)

    async def show(request: web.Request) -> web.Response:
        return web.Response(body=metrics.text(), content_type="text/plain", charset="utf-8")

    application = web.Application()
    application.router.add_get("/healthz", healthz)
    application.router.add_get("/metrics", show)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, host, port).start()
    return runner
