"""Where to start and stop reading, and the signed request that says so (fabric-wire.md §5.7)."""

from __future__ import annotations

from fabric_protos.common.common_pb2 import Envelope, HeaderType
from fabric_protos.orderer.ab_pb2 import (
    SeekInfo,
    SeekNewest,
    SeekOldest,
    SeekPosition,
    SeekSpecified,
)

from treadle_fabric.wire import SignerLike, build_envelope, serialize

FOREVER = 2**64 - 1

Position = int | str


def position(at: Position) -> SeekPosition:
    """``"oldest"``, ``"newest"`` or a block number; raises ValueError for anything else."""
    if at == "oldest":
        return SeekPosition(oldest=SeekOldest())
    if at == "newest":
        return SeekPosition(newest=SeekNewest())
    if isinstance(at, int) and 0 <= at <= FOREVER:
        return SeekPosition(specified=SeekSpecified(number=at))
    raise ValueError(f"not a block position: {at!r} (want oldest, newest or a block number)")


def seek_request(
    *,
    signer: SignerLike,
    channel_id: str,
    start: Position,
    stop: Position = FOREVER,
    best_effort: bool = False,
    tls_cert_hash: bytes = b"",
) -> Envelope:
    """The request for blocks *start* to *stop*, both included, waiting for those to come.

    *best_effort* asks an orderer for blocks although it may be cut off from its cluster.
    """
    seek = SeekInfo(
        start=position(start),
        stop=position(stop),
        behavior=SeekInfo.BLOCK_UNTIL_READY,
        error_response=SeekInfo.BEST_EFFORT if best_effort else SeekInfo.STRICT,
    )
    return build_envelope(
        signer=signer,
        header_type=HeaderType.DELIVER_SEEK_INFO,
        channel_id=channel_id,
        data=serialize(seek),
        tls_cert_hash=tls_cert_hash,
    )
