"""The checks every envelope passes before it is queued, in Fabric's order (§5.2)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from fabric_protos.common.common_pb2 import Envelope, Status
from treadle_fabric.channelconfig import Bundle
from treadle_fabric.msp import MSPError
from treadle_fabric.policy import PolicyError

from treadle_peer.order.envelopes import Submission
from treadle_peer.order.errors import BroadcastRefused

_WRITERS = "/Channel/Writers"


def check_submission(submission: Submission, *, bundle: Bundle, now: datetime) -> None:
    """Empty, size, expiration, signature. Raises BroadcastRefused."""
    if not submission.envelope.payload:
        raise BroadcastRefused(Status.BAD_REQUEST, "Message was empty")
    check_size(submission.envelope, bundle=bundle)
    signed = submission.signed_data()
    if _expired(signed.identity, bundle=bundle, now=now):
        raise BroadcastRefused(Status.BAD_REQUEST, "broadcast client identity expired")
    try:
        bundle.policies.policy(_WRITERS).evaluate([signed])
    except PolicyError as error:
        raise BroadcastRefused(Status.FORBIDDEN, f"{error}: permission denied") from error


def check_size(envelope: Envelope, *, bundle: Bundle) -> None:
    """Payload and signature against AbsoluteMaxBytes. Raises BroadcastRefused."""
    size = len(envelope.payload) + len(envelope.signature)
    limit = bundle.orderer.absolute_max_bytes
    if size > limit:
        raise BroadcastRefused(
            Status.BAD_REQUEST,
            f"message payload is {size} bytes and exceeds maximum allowed {limit} bytes",
        )


@contextmanager
def refusal_prefix(prefix: str) -> Iterator[None]:
    """Put *prefix* before the text of a BroadcastRefused that passes."""
    try:
        yield
    except BroadcastRefused as error:
        raise BroadcastRefused(error.status, f"{prefix}: {error}") from error


def _expired(creator: bytes, *, bundle: Bundle, now: datetime) -> bool:
    try:
        return bundle.msps.deserialize(creator).expires_at() <= now
    except MSPError:
        return False  # the signature policy names what is wrong with it
