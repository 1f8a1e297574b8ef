"""All metrics of one peer, under Fabric's names where Fabric has one; no registry is global."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector

from treadle_peer.services.metrics import text
from treadle_peer.services.metrics.families import (
    BroadcastMetrics,
    ChaincodeMetrics,
    DeliverMetrics,
    EndorserMetrics,
    GrpcMetrics,
    LedgerMetrics,
)


class Metrics:
    """All metrics of one peer. *heights* gives the height of every channel at scrape time."""

    def __init__(self, *, version: str, heights: Callable[[], Mapping[str, int]]) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self.registry.register(_PeerState(version=version, heights=heights))
        self.deliver = self._deliver()
        self.broadcast = self._broadcast()
        self.endorser = self._endorser()
        self.chaincode = self._chaincode()
        self.grpc = self._grpc()
        self.ledger = self._ledger()

    def render(self) -> bytes:
        """Everything in Prometheus' text format (``CONTENT_TYPE``)."""
        return "".join(text.lines(self.registry)).encode()

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
        about = ("channel", "chaincode")
        return EndorserMetrics(
            proposals_received=self._counter("endorser_proposals_received", "Proposals received"),
            successful_proposals=self._counter(
                "endorser_successful_proposals", "Proposals endorsed"
            ),
            proposal_duration=self._histogram(
                "endorser_proposal_duration",
                "Seconds to answer a proposal",
                *about,
                "success",
            ),
            proposal_validation_failures=self._counter(
                "endorser_proposal_validation_failures", "Proposals that are not genuine"
            ),
            proposal_acl_failures=self._counter(
                "endorser_proposal_acl_failures", "Proposals whose signer may not make them", *about
            ),
            duplicate_transaction_failures=self._counter(
                "endorser_duplicate_transaction_failures", "Proposals that were committed", *about
            ),
            proposal_simulation_failures=self._counter(
                "endorser_proposal_simulation_failures", "Chaincode runs without an answer", *about
            ),
            chaincode_instantiation_failures=self._counter(
                "endorser_chaincode_instantiation_failures",
                "Instantiations and upgrades whose Init failed",
                *about,
            ),
            endorsement_failures=self._counter(
                "endorser_endorsement_failures",
                "Answers that were not endorsed",
                *about,
                "chaincodeerror",
            ),
        )

    def _chaincode(self) -> ChaincodeMetrics:
        request = ("type", "channel", "chaincode")
        return ChaincodeMetrics(
            launch_duration=self._histogram(
                "chaincode_launch_duration", "Seconds to launch a process", "chaincode", "success"
            ),
            launch_failures=self._counter(
                "chaincode_launch_failures", "Launches that failed", "chaincode"
            ),
            launch_timeouts=self._counter(
                "chaincode_launch_timeouts", "Launches that took too long", "chaincode"
            ),
            shim_requests_received=self._counter(
                "chaincode_shim_requests_received", "Requests of chaincodes", *request
            ),
            shim_requests_completed=self._counter(
                "chaincode_shim_requests_completed", "Requests answered", *request, "success"
            ),
            shim_request_duration=self._histogram(
                "chaincode_shim_request_duration", "Seconds to answer", *request, "success"
            ),
            execute_timeouts=self._counter(
                "chaincode_execute_timeouts", "Transactions that took too long", "chaincode"
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

    def _counter(self, name: str, help_text: str, *labels: str) -> Counter:
        return Counter(name, help_text, labels, registry=self.registry)

    def _histogram(self, name: str, help_text: str, *labels: str) -> Histogram:
        return Histogram(name, help_text, labels, registry=self.registry)


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
