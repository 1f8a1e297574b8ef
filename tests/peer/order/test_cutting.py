"""Which envelopes share a block."""

from __future__ import annotations

from collections import deque

from fabric_protos.common.common_pb2 import ChannelHeader, Envelope, HeaderType
from hypothesis import given
from hypothesis import strategies as st
from treadle_peer.order.cutting import BatchLimits, cut_batch
from treadle_peer.order.envelopes import Submission


def submission(size: int, *, config: bool = False) -> Submission:
    kind = HeaderType.CONFIG_UPDATE if config else HeaderType.ENDORSER_TRANSACTION
    return Submission(
        envelope=Envelope(payload=bytes(size)),
        channel_header=ChannelHeader(type=kind),
        signature_header=b"",
    )


submissions = st.lists(
    st.builds(submission, st.integers(0, 40), config=st.booleans()), min_size=1, max_size=30
)


@given(submissions, st.integers(1, 6), st.integers(1, 50))
def test_every_envelope_is_in_exactly_one_block_in_order_and_within_the_limits(
    queued: list[Submission], count: int, preferred: int
) -> None:
    pending = deque(queued)
    limits = BatchLimits(max_message_count=count, preferred_max_bytes=preferred)
    taken: list[Submission] = []
    while pending:
        batch = cut_batch(pending, limits)
        assert 1 <= len(batch) <= count
        assert len(batch) == 1 or not any(each.is_config_update for each in batch)
        assert len(batch) == 1 or sum(each.size for each in batch) <= preferred
        taken += batch
    assert all(a is b for a, b in zip(taken, queued, strict=True))


def test_small_ones_do_not_wait_behind_a_big_one() -> None:
    small, big, last = submission(1), submission(100), submission(1)
    pending = deque([small, big, last])
    limits = BatchLimits(max_message_count=10, preferred_max_bytes=50)
    assert [cut_batch(pending, limits) for _ in range(3)] == [[small], [big], [last]]
