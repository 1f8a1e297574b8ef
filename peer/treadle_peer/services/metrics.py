"""The peer's metrics, under Fabric's names where Fabric has one.

One registry per peer, none global. ``render`` writes Prometheus' text format itself, because
prometheus_client insists on ``_total`` behind counters and Fabric's names have none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector
from prometheus_client.samples import Sample

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_OWN_CONVENTIONS = ("treadle_", "process_")


@dataclass(frozen=True, slots=True)
class DeliverMetrics:
    """Fabric's ``deliver_*``; labels channel, filtered, data_type (and success)."""

    streams_opened: Counter
    streams_closed: Counter
    requests_received: Counter
    requests_completed: Counter
    blocks_sent: Counter


@dataclass(frozen=True, slots=True)
class BroadcastMetrics:
    """Fabric's ``broadcast_*``; labels status, channel, type."""

    processed: Counter
    validate_duration: Histogram
    enqueue_duration: Histogram


@dataclass(frozen=True, slots=True)
class EndorserMetrics:
    """Fabric's ``endorser_*``; labels channel, chaincode, success."""

    proposals_received: Counter
    successful_proposals: Counter
    proposal_duration: Histogram


@dataclass(frozen=True, slots=True)
class GrpcMetrics:
    """Fabric's ``grpc_server_*``; labels service, method (and code)."""

    unary_received: Counter
    unary_completed: Counter
    unary_duration: Histogram
    stream_received: Counter
    stream_completed: Counter


@dataclass(frozen=True, slots=True)
class LedgerMetrics:
    """Fabric's ``ledger_*``; labels channel (and transaction_type, chaincode, code)."""

    block_processing_time: Histogram
    transaction_count: Counter


class Metrics:
    """All metrics of one peer. *heights* gives the height of every channel at scrape time."""

    def __init__(self, *, version: str, heights: Callable[[], Mapping[str, int]]) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self.registry.register(_PeerState(version=version, heights=heights))
        self.deliver = self._deliver()
        self.broadcast = self._broadcast()
        self.endorser = self._endorser()
        self.grpc = self._grpc()
        self.ledger = self._ledger()

    def render(self) -> bytes:
        """Everything in Prometheus' text format (``CONTENT_TYPE``)."""
        return "".join(_lines(self.registry)).encode()

    def _deliver(self) -> DeliverMetrics:
        channel = ("channel", "filtered", "data_type")
        return DeliverMetrics(
            streams_opened=self._counter("deliver_streams_opened", "Deliver streams opened"),
            streams_closed=self._counter("deliver_streams_closed", "Deliver streams closed"),
            requests_received=self._counter(
                "deliver_requests_received", "Deliver requests received", *channel
            ),
            requests_completed=self._counter(
                "deliver_requests_completed", "Deliver requests completed", *channel, "success"
            ),
            blocks_sent=self._counter("deliver_blocks_sent", "Blocks sent", *channel),
        )

    def _broadcast(self) -> BroadcastMetrics:
        outcome = ("status", "channel", "type")
        return BroadcastMetrics(
            processed=self._counter("broadcast_processed_count", "Envelopes processed", *outcome),
            validate_duration=self._histogram(
                "broadcast_validate_duration", "Seconds to check an envelope", *outcome
            ),
            enqueue_duration=self._histogram(
                "broadcast_enqueue_duration", "Seconds to queue an envelope", *outcome
            ),
        )

    def _endorser(self) -> EndorserMetrics:
        return EndorserMetrics(
            proposals_received=self._counter("endorser_proposals_received", "Proposals received"),
            successful_proposals=self._counter(
                "endorser_successful_proposals", "Proposals endorsed"
            ),
            proposal_duration=self._histogram(
                "endorser_proposal_duration",
                "Seconds to answer a proposal",
                "channel",
                "chaincode",
                "success",
            ),
        )

    def _ledger(self) -> LedgerMetrics:
        return LedgerMetrics(
            block_processing_time=self._histogram(
                "ledger_block_processing_time", "Seconds to commit a block", "channel"
            ),
            transaction_count=self._counter(
                "ledger_transaction_count",
                "Transactions processed",
                "channel",
                "transaction_type",
                "chaincode",
                "validation_code",
            ),
        )

    def _grpc(self) -> GrpcMetrics:
        method = ("service", "method")
        done = (*method, "code")
        return GrpcMetrics(
            unary_received=self._counter(
                "grpc_server_unary_requests_received", "Unary requests received", *method
            ),
            unary_completed=self._counter(
                "grpc_server_unary_requests_completed", "Unary requests completed", *done
            ),
            unary_duration=self._histogram(
                "grpc_server_unary_request_duration", "Seconds to answer a unary request", *done
            ),
            stream_received=self._counter(
                "grpc_server_stream_requests_received", "Streams opened", *method
            ),
            stream_completed=self._counter(
                "grpc_server_stream_requests_completed", "Streams ended", *done
            ),
        )

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(name, text, labels, registry=self.registry)

    def _histogram(self, name: str, text: str, *labels: str) -> Histogram:
        return Histogram(name, text, labels, registry=self.registry)


@dataclass(frozen=True, slots=True)
class _PeerState(Collector):
    """Gauges that are read when somebody looks."""

    version: str
    heights: Callable[[], Mapping[str, int]]

    def collect(self) -> Iterator[Metric]:
        version = GaugeMetricFamily(
            "fabric_version", "The active version of the peer", labels=["version"]
        )
        version.add_metric([self.version], 1)
        yield version
        heights = GaugeMetricFamily(
            "ledger_blockchain_height", "Height of the chain in blocks", labels=["channel"]
        )
        for channel, height in self.heights().items():
            heights.add_metric([channel], height)
        yield heights


def _lines(registry: CollectorRegistry) -> Iterator[str]:
    for family in registry.collect():
        own = family.name.startswith(_OWN_CONVENTIONS)
        suffix = "_total" if family.type == "counter" and own else ""
        yield f"# HELP {family.name}{suffix} {_escape(family.documentation)}\n"
        yield f"# TYPE {family.name}{suffix} {family.type}\n"
        for sample in family.samples:
            if sample.name.endswith("_created"):
                continue
            name = sample.name if own else sample.name.removesuffix("_total")
            yield f"{name}{_labels(sample)} {float(sample.value)}\n"


def _labels(sample: Sample) -> str:
    if not sample.labels:
        return ""
    pairs = (f'{name}="{_escape(value)}"' for name, value in sample.labels.items())
    return "{" + ",".join(pairs) + "}"


def _escape(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')
