"""What happens to chaincodes, told to whoever counts it; no metrics library in here.

What is told, and when, follows Fabric's ``chaincode_*`` metrics.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum, auto

from fabric_protos.peer.chaincode_shim_pb2 import ChaincodeMessage

from treadle_peer.chaincode.session import (
    TIMED_OUT,
    Effect,
    Failed,
    Finished,
    Send,
    TxKey,
    type_name,
)


class LaunchEnd(Enum):
    """How a launch ended."""

    REGISTERED = auto()
    FAILED = auto()
    TIMED_OUT = auto()


class Observer:
    """Counts nothing; subclasses do. Seconds are seconds, *kind* is a type such as GET_STATE."""

    __slots__ = ()

    def launch_ended(self, ccid: str, end: LaunchEnd, *, seconds: float) -> None:
        """A process was to be launched; told once, however many waited for it."""

    def request_received(self, ccid: str, channel_id: str, kind: str) -> None:
        """The chaincode asks the peer for something."""

    def request_completed(
        self, ccid: str, channel_id: str, kind: str, *, seconds: float, success: bool
    ) -> None:
        """The peer has answered."""

    def execution_timed_out(self, ccid: str) -> None:
        """The chaincode did not finish a transaction in time."""


class StreamMeter:
    """Tells an observer about one stream, from the messages and effects that pass.

    A transaction has one request at a time (fabric-wire.md §1.5), so its key finds the request
    that an answer belongs to.
    """

    def __init__(self, observer: Observer) -> None:
        self.ccid = ""
        self._observer = observer
        self._open: dict[TxKey, tuple[str, float]] = {}

    def received(self, message: ChaincodeMessage, *, now: float) -> None:
        """A message about a running transaction has come, at *now*.

        Others do not count: a chaincode must not invent channels for the metrics.
        """
        key = TxKey(message.channel_id, message.txid)
        final = message.type in {ChaincodeMessage.COMPLETED, ChaincodeMessage.ERROR}
        if not final and key not in self._open:
            kind = type_name(message.type)
            self._open[key] = (kind, now)
            self._observer.request_received(self.ccid, key.channel_id, kind)

    def applied(self, effects: Iterable[Effect], *, now: float) -> None:
        """What came of it, or of the passing of time."""
        for effect in effects:
            match effect:
                case Send(message):
                    self._answered(message, now)
                case Failed(key, cause):
                    self._open.pop(key, None)
                    if cause == TIMED_OUT:
                        self._observer.execution_timed_out(self.ccid)
                case Finished(key):
                    self._open.pop(key, None)

    def _answered(self, message: ChaincodeMessage, now: float) -> None:
        if message.type not in {ChaincodeMessage.RESPONSE, ChaincodeMessage.ERROR}:
            return
        key = TxKey(message.channel_id, message.txid)
        kind, since = self._open.pop(key, ("", now))
        if kind:
            self._observer.request_completed(
                self.ccid,
                key.channel_id,
                kind,
                seconds=now - since,
                success=message.type == ChaincodeMessage.RESPONSE,
            )
