"""The deliver cursor: every row of fabric-wire.md §5.7, without I/O."""

from __future__ import annotations

import pytest
from fabric_protos.common.common_pb2 import Envelope, Status
from fabric_protos.orderer.ab_pb2 import (
    SeekInfo,
    SeekNewest,
    SeekNextCommit,
    SeekOldest,
    SeekPosition,
    SeekSpecified,
)
from harness.ordering import CHANNEL, Network
from hypothesis import given
from hypothesis import strategies as st
from treadle_fabric.wire import build_seek_envelope, sign_envelope
from treadle_peer.services.deliver import (
    Action,
    DeliverCursor,
    DeliverRefused,
    Step,
    unpack_seek,
)

MAX_UINT64 = (1 << 64) - 1
OLDEST = SeekPosition(oldest=SeekOldest())
NEWEST = SeekPosition(newest=SeekNewest())
NEXT = SeekPosition(next_commit=SeekNextCommit())
EMPTY = SeekPosition()


def at(number: int) -> SeekPosition:
    return SeekPosition(specified=SeekSpecified(number=number))


def info(
    start: SeekPosition,
    stop: SeekPosition,
    behavior: SeekInfo.SeekBehavior.ValueType = SeekInfo.BLOCK_UNTIL_READY,
) -> SeekInfo:
    return SeekInfo(start=start, stop=stop, behavior=behavior)


def delivered(seek: SeekInfo, height: int) -> tuple[list[int], Step]:
    """The blocks sent while the channel stays at *height* (64 at most), and the last step."""
    cursor = DeliverCursor(seek, height)
    sent: list[int] = []
    while len(sent) < 64:
        step = cursor.step(height)
        if step.action is not Action.SEND:
            return sent, step
        sent.append(step.number)
        cursor.sent()
    return sent, step


DONE = Step(Action.FINISH)


@pytest.mark.parametrize(
    ("start", "stop", "height", "blocks", "last"),
    [
        (OLDEST, NEWEST, 3, [0, 1, 2], DONE),
        (OLDEST, OLDEST, 3, [0], DONE),
        (NEWEST, NEWEST, 3, [2], DONE),
        (at(1), at(2), 3, [1, 2], DONE),
        (NEWEST, at(MAX_UINT64), 3, [2], Step(Action.WAIT, 3)),
        (NEWEST, at((1 << 63) - 1), 3, [2], Step(Action.WAIT, 3)),
        (at(3), at(MAX_UINT64), 3, [], Step(Action.WAIT, 3)),
        (NEXT, at(MAX_UINT64), 3, [], Step(Action.WAIT, 3)),
        # A position without a kind stops at block 0: endless when it starts later.
        (OLDEST, EMPTY, 3, [0], DONE),
        (at(1), EMPTY, 3, [1, 2], Step(Action.WAIT, 3)),
    ],
)
def test_which_blocks_a_request_gets(
    start: SeekPosition, stop: SeekPosition, height: int, blocks: list[int], last: Step
) -> None:
    assert delivered(info(start, stop), height) == (blocks, last)


@pytest.mark.parametrize(
    ("seek", "status"),
    [
        (SeekInfo(start=NEWEST), Status.BAD_REQUEST),
        (SeekInfo(stop=NEWEST), Status.BAD_REQUEST),
        (info(at(2), at(1)), Status.BAD_REQUEST),
        (info(at(3), at(1)), Status.BAD_REQUEST),
        (info(at(4), at(MAX_UINT64)), Status.NOT_FOUND),
        (info(at(4), at(1)), Status.NOT_FOUND),
        (info(EMPTY, NEWEST), Status.NOT_FOUND),
    ],
)
def test_what_is_refused_at_height_three(seek: SeekInfo, status: int) -> None:
    with pytest.raises(DeliverRefused) as refused:
        DeliverCursor(seek, 3)
    assert refused.value.status == status


def test_fail_if_not_ready_ends_beyond_the_tip() -> None:
    seek = info(at(1), at(9), SeekInfo.FAIL_IF_NOT_READY)
    assert delivered(seek, 3) == ([1, 2], Step(Action.FINISH, status=Status.NOT_FOUND))


def test_a_waiting_cursor_goes_on_when_the_channel_grows() -> None:
    cursor = DeliverCursor(info(NEWEST, at(4)), 3)
    numbers = []
    for height in (3, 3, 5, 5, 5):
        step = cursor.step(height)
        if step.action is Action.SEND:
            numbers.append(step.number)
            cursor.sent()
    assert numbers == [2, 3, 4]
    assert cursor.step(5) == DONE


@given(st.integers(1, 20), st.integers(0, 20), st.integers(0, 25))
def test_a_bounded_request_gets_exactly_its_blocks(height: int, start: int, stop: int) -> None:
    seek = info(at(start), at(stop))
    if start > height or stop < start:
        with pytest.raises(DeliverRefused):
            DeliverCursor(seek, height)
        return
    blocks, last = delivered(seek, height)
    assert blocks == list(range(start, min(stop, height - 1) + 1))
    assert last == (DONE if stop < height else Step(Action.WAIT, max(start, height)))


def request(network: Network) -> Envelope:
    return build_seek_envelope(signer=network.client, channel_id=CHANNEL, start=NEWEST, stop=NEWEST)


NOW = 1_700_000_000.0


@pytest.mark.parametrize(("age", "fine"), [(0, True), (899, True), (-899, True), (901, False)])
def test_requests_are_fresh_within_a_quarter_of_an_hour(
    network: Network, age: float, fine: bool
) -> None:
    envelope = request(network)
    payload = unpack_seek(envelope, now=0, window=float("inf"), certificate_hash=None)
    sent = payload.channel_header.timestamp.ToNanoseconds() / 1e9
    if fine:
        unpack_seek(envelope, now=sent + age, window=900, certificate_hash=None)
        return
    with pytest.raises(DeliverRefused, match="apart from current server time"):
        unpack_seek(envelope, now=sent + age, window=900, certificate_hash=None)


def test_mutual_tls_binds_a_request_to_its_certificate(network: Network) -> None:
    envelope = build_seek_envelope(
        signer=network.client, channel_id=CHANNEL, start=NEWEST, stop=NEWEST, tls_cert_hash=b"h"
    )
    unpack_seek(envelope, now=0, window=float("inf"), certificate_hash=b"h")
    for presented in (b"other", b""):
        with pytest.raises(DeliverRefused, match="claimed TLS cert hash is 68"):
            unpack_seek(envelope, now=0, window=float("inf"), certificate_hash=presented)


@pytest.mark.parametrize("payload", [b"", b"\xff", b"\x0a\x00"])
def test_what_is_no_envelope_is_a_bad_request(network: Network, payload: bytes) -> None:
    with pytest.raises(DeliverRefused) as refused:
        unpack_seek(
            sign_envelope(network.client, payload), now=NOW, window=900, certificate_hash=None
        )
    assert refused.value.status == Status.BAD_REQUEST
