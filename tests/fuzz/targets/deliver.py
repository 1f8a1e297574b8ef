"""Seek requests: read, checked for age, then followed through a chain that grows."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

from fabric_protos.common.common_pb2 import Envelope, HeaderType, Status
from fabric_protos.orderer.ab_pb2 import (
    SeekInfo,
    SeekNewest,
    SeekNextCommit,
    SeekOldest,
    SeekPosition,
    SeekSpecified,
)
from fuzz.configuring import envelope
from fuzz.forging import THEN
from fuzz.layers import edit_many
from fuzz.octets import Octets
from fuzz.world import consortium
from treadle_fabric.wire import WireError, parse, serialize
from treadle_peer.services.deliver import (
    Action,
    DeliverCursor,
    DeliverRefused,
    parse_seek_info,
    unpack_seek,
)

RAW = 0xFF
_STEPS = 40
_POSITIONS = (
    SeekPosition(oldest=SeekOldest()),
    SeekPosition(newest=SeekNewest()),
    SeekPosition(next_commit=SeekNextCommit()),
    SeekPosition(specified=SeekSpecified(number=2)),
    SeekPosition(specified=SeekSpecified(number=2**64 - 1)),
)


@cache
def _honest(start: int, stop: int) -> bytes:
    seek = SeekInfo(start=_POSITIONS[start], stop=_POSITIONS[stop])
    kind = HeaderType.DELIVER_SEEK_INFO
    return serialize(envelope(kind, serialize(seek), signer=consortium().client))


def seeds() -> Iterator[bytes]:
    """All pairs of positions at two heights, and one request raw."""
    for start in range(len(_POSITIONS)):
        for stop in range(len(_POSITIONS)):
            yield bytes((start, stop, 1, 0))
            yield bytes((start, stop, 7, 1, 2, 3))
    yield bytes((RAW, 0, 3)) + _honest(0, 1)


def one_input(data: bytes) -> None:
    """Blocks in order, none twice, none that is not there; or a DeliverRefused."""
    octets = Octets(data)
    start, stop, height = octets.byte(), octets.byte(), 1 + octets.byte()  # a channel has a block
    if start == RAW:
        raw = octets.rest()
    else:
        count = len(_POSITIONS)
        raw = edit_many(Envelope, _honest(start % count, stop % count), octets)
    try:
        payload = unpack_seek(
            parse(Envelope, raw), now=float(THEN), window=900.0, certificate_hash=None
        )
        cursor = DeliverCursor(parse_seek_info(payload), height)
    except DeliverRefused as refusal:
        status = refusal.status
    except WireError:
        return
    else:
        _follow(cursor, height)
        return
    assert status in {Status.BAD_REQUEST, Status.NOT_FOUND}


def _follow(cursor: DeliverCursor, height: int) -> None:
    sent: list[int] = []
    for _ in range(_STEPS):
        step = cursor.step(height)
        if step.action is Action.SEND:
            assert 0 <= step.number < height
            assert not sent or step.number == sent[-1] + 1
            sent.append(step.number)
            cursor.sent()
        elif step.action is Action.WAIT:
            assert step.number >= height
            height += 1
        else:
            assert step.status in {Status.SUCCESS, Status.NOT_FOUND}
            assert cursor.step(height + 1).action is not Action.WAIT
            return
