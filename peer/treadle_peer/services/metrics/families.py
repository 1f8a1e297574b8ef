"""The peer's metrics by family; each knows its labels."""

from __future__ import annotations

from dataclasses import dataclass

from prometheus_client import Counter, Histogram

from treadle_peer.chaincode import LaunchEnd, Observer


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
    """Fabric's ``endorser_*``; labels channel, chaincode (and success, chaincodeerror).

    ``proposal_validation_failures`` has no labels: what a bad proposal names is not to be trusted.
    """

    proposals_received: Counter
    successful_proposals: Counter
    proposal_duration: Histogram
    proposal_validation_failures: Counter
    proposal_acl_failures: Counter
    duplicate_transaction_failures: Counter
    proposal_simulation_failures: Counter
    chaincode_instantiation_failures: Counter
    endorsement_failures: Counter


@dataclass(frozen=True, slots=True)
class ChaincodeMetrics(Observer):
    """Fabric's ``chaincode_*``, as an Observer; labels chaincode (and type, channel, success).

    ``chaincode`` is ``name:version``, the name under which a process registers.
    """

    launch_duration: Histogram
    launch_failures: Counter
    launch_timeouts: Counter
    shim_requests_received: Counter
    shim_requests_completed: Counter
    shim_request_duration: Histogram
    execute_timeouts: Counter

    def launch_ended(self, ccid: str, end: LaunchEnd, *, seconds: float) -> None:
        """See Observer."""
        self.launch_duration.labels(ccid, flag(end is LaunchEnd.REGISTERED)).observe(seconds)
        if end is LaunchEnd.FAILED:
            self.launch_failures.labels(ccid).inc()
        elif end is LaunchEnd.TIMED_OUT:
            self.launch_timeouts.labels(ccid).inc()

    def request_received(self, ccid: str, channel_id: str, kind: str) -> None:
        """See Observer."""
        self.shim_requests_received.labels(kind, channel_id, ccid).inc()

    def request_completed(
        self, ccid: str, channel_id: str, kind: str, *, seconds: float, success: bool
    ) -> None:
        """See Observer."""
        labels = (kind, channel_id, ccid, flag(success))
        self.shim_request_duration.labels(*labels).observe(seconds)
        self.shim_requests_completed.labels(*labels).inc()

    def execution_timed_out(self, ccid: str) -> None:
        """See Observer."""
        self.execute_timeouts.labels(ccid).inc()


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


def flag(value: bool) -> str:
    """A truth value as Go prints it."""
    return "true" if value else "false"
