"""Embedded ordering: one node, its own identity, blocks durable before anyone sees them.

``OrderingService`` takes envelopes (Broadcast) and offers the blocks (Deliver); the peer's
committer follows it like any other reader.
"""

from treadle_peer.order.chain import Chain
from treadle_peer.order.creation import ChannelTemplate
from treadle_peer.order.errors import BroadcastRefused, OrderingError
from treadle_peer.order.identity import (
    OrderingIdentity,
    load_ordering_identity,
    open_ordering_identity,
)
from treadle_peer.order.service import BroadcastResult, OrderingService
from treadle_peer.order.store import OrderStore
from treadle_peer.order.verify import chain_problems

__all__ = [
    "BroadcastRefused",
    "BroadcastResult",
    "Chain",
    "ChannelTemplate",
    "OrderStore",
    "OrderingError",
    "OrderingIdentity",
    "OrderingService",
    "chain_problems",
    "load_ordering_identity",
    "open_ordering_identity",
]
