"""The peer's metrics: their families, their registry, and how they read as text."""

from treadle_peer.services.metrics.families import (
    BroadcastMetrics,
    ChaincodeMetrics,
    DeliverMetrics,
    EndorserMetrics,
    GrpcMetrics,
    LedgerMetrics,
)
from treadle_peer.services.metrics.registry import Metrics
from treadle_peer.services.metrics.text import CONTENT_TYPE

__all__ = [
    "CONTENT_TYPE",
    "BroadcastMetrics",
    "ChaincodeMetrics",
    "DeliverMetrics",
    "EndorserMetrics",
    "GrpcMetrics",
    "LedgerMetrics",
    "Metrics",
]
