"""Reading a seek request and stepping through blocks, without I/O (fabric-wire.md §5.7).

``parse_seek`` judges an envelope; ``DeliverCursor`` is told the height and says what to do next.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from fabric_protos.common.common_pb2 import Envelope, Status
from fabric_protos.orderer.ab_pb2 import SeekInfo, SeekPosition
from treadle_fabric.wire import UnpackedPayload, WireError, parse, unpack_payload


class DeliverRefused(Exception):
    """A request ends with a status inside the stream; the text is for the peer's log only."""

    def __init__(self, status: Status.ValueType, reason: str) -> None:
        super().__init__(reason)
        self.status = status


def unpack_seek(
    envelope: Envelope, *, now: float, window: float, certificate_hash: bytes | None
) -> UnpackedPayload:
    """Take the request apart and check its age and its binding to the TLS certificate.

    *now* is seconds since the epoch, *window* the tolerated difference in seconds;
    *certificate_hash* is the SHA-256 of the client's certificate under mutual TLS, ``None``
    otherwise. Raises DeliverRefused with BAD_REQUEST.
    """
    try:
        payload = unpack_payload(envelope)
    except WireError as error:
        raise _bad(f"error parsing envelope: {error}") from error
    header = payload.channel_header
    if not header.HasField("timestamp"):
        raise _bad("channel header in envelope must contain timestamp")
    sent = header.timestamp.seconds + header.timestamp.nanos / 1e9
    if abs(now - sent) > window:
        raise _bad(f"envelope timestamp is {abs(now - sent):.0f} s apart from current server time")
    if certificate_hash is not None and header.tls_cert_hash != certificate_hash:
        claimed = header.tls_cert_hash.hex() or "nothing"
        raise _bad(f"claimed TLS cert hash is {claimed} but actual is {certificate_hash.hex()}")
    return payload


def parse_seek_info(payload: UnpackedPayload) -> SeekInfo:
    """The request's SeekInfo; raises DeliverRefused with BAD_REQUEST when it is malformed."""
    try:
        return parse(SeekInfo, payload.data)
    except WireError as error:
        raise _bad(f"malformed seekInfo payload: {error}") from error


class Action(Enum):
    """What the cursor wants."""

    SEND = "send"
    WAIT = "wait"
    FINISH = "finish"


@dataclass(frozen=True, slots=True)
class Step:
    """One decision: send block ``number``, wait until it exists, or finish with ``status``."""

    action: Action
    number: int = 0
    status: Status.ValueType = Status.SUCCESS


class DeliverCursor:
    """The position of one seek request. The caller repeats ``step``, calling ``sent`` after each
    block that went out."""

    def __init__(self, seek: SeekInfo, height: int) -> None:
        """Place the cursor; raises DeliverRefused for positions that Fabric refuses."""
        if not seek.HasField("start") or not seek.HasField("stop"):
            raise _bad("seekInfo with missing start or stop")
        start = _start_number(seek.start, height)
        if start is None:
            raise DeliverRefused(Status.NOT_FOUND, f"start lies beyond height {height}")
        self._number = start
        self._stop = _stop_number(seek, start=start, height=height)
        self._fail_if_not_ready = seek.behavior == SeekInfo.FAIL_IF_NOT_READY
        self._finished = False

    def step(self, height: int) -> Step:
        """What to do while the channel has *height* blocks."""
        if self._finished:
            return Step(Action.FINISH)
        if self._number < height:
            return Step(Action.SEND, number=self._number)
        if self._fail_if_not_ready:
            return Step(Action.FINISH, status=Status.NOT_FOUND)
        return Step(Action.WAIT, number=self._number)

    def sent(self) -> None:
        """The block of the last SEND went out."""
        self._finished = self._number == self._stop
        self._number += 1


def _start_number(start: SeekPosition, height: int) -> int | None:
    match start.WhichOneof("Type"):
        case "oldest":
            return 0
        case "newest":
            return height - 1
        case "next_commit":
            return height
        case "specified" if start.specified.number <= height:
            return int(start.specified.number)
        case _:
            return None


def _stop_number(seek: SeekInfo, *, start: int, height: int) -> int:
    """The last block to send. An empty position counts as block 0, as in Fabric, so that a
    request which starts later never ends."""
    match seek.stop.WhichOneof("Type"):
        case "oldest":
            return start
        case "newest":
            # The tip of the moment of asking: start and stop at newest is exactly one block.
            return start if seek.start.WhichOneof("Type") == "newest" else height - 1
        case "specified":
            stop = int(seek.stop.specified.number)
            if stop < start:
                raise _bad(f"start number {start} greater than stop number {stop}")
            return stop
        case _:
            return 0


def _bad(reason: str) -> DeliverRefused:
    return DeliverRefused(Status.BAD_REQUEST, reason)
