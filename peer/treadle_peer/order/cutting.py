"""Which queued envelopes become the next block (fabric-wire.md §5.2)."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from treadle_peer.order.envelopes import Submission


@dataclass(frozen=True, slots=True)
class BatchLimits:
    """BatchSize of a channel: envelopes per block, and bytes that a block prefers to stay below."""

    max_message_count: int
    preferred_max_bytes: int


def cut_batch(pending: deque[Submission], limits: BatchLimits) -> list[Submission]:
    """Take the next block's envelopes off *pending*, oldest first.

    A configuration is alone in its block, and so is an envelope beyond the preferred size. There
    is no batch timeout: whatever waits when the previous block is done is the next one.
    """
    batch: list[Submission] = []
    size = 0
    while pending and len(batch) < limits.max_message_count:
        candidate = pending[0]
        lonely = candidate.is_config_update or candidate.size > limits.preferred_max_bytes
        if batch and (lonely or size + candidate.size > limits.preferred_max_bytes):
            break
        batch.append(pending.popleft())
        size += candidate.size
        if lonely:
            break
    return batch
