"""One chaincode stream joined to a peer that may come and go: the rules, without I/O.

The shim registers once and is greeted once. When the peer is lost, what the shim waits for is
answered with ERROR, and the running transactions end here; after the peer is back it learns of the
chaincode by the same REGISTER. Nothing reaches the shim that it does not expect
(fabric-wire.md §1.12).
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from fabric_protos.peer.chaincode_shim_pb2 import ChaincodeMessage

from treadle_peer.chaincode.bridge.records import TransactionRecord, function_of, status_of
from treadle_peer.chaincode.errors import ProtocolViolation
from treadle_peer.chaincode.session import TxKey
from treadle_peer.chaincode.session.replies import error, type_name

log = logging.getLogger(__name__)

PEER_LOST = "the connection to the peer was lost, the transaction has ended there"
STILL_RUNNING = "the chaincode still works on this transaction from before the connection was lost"

GREETINGS = frozenset({ChaincodeMessage.REGISTERED, ChaincodeMessage.READY})
STARTS = frozenset({ChaincodeMessage.INIT, ChaincodeMessage.TRANSACTION})
FINALS = frozenset({ChaincodeMessage.COMPLETED, ChaincodeMessage.ERROR})
REPLIES = frozenset({ChaincodeMessage.RESPONSE, ChaincodeMessage.ERROR})


@dataclass(frozen=True, slots=True)
class ToPeer:
    """Send to the peer."""

    message: ChaincodeMessage


@dataclass(frozen=True, slots=True)
class ToShim:
    """Send to the chaincode."""

    message: ChaincodeMessage


@dataclass(frozen=True, slots=True)
class Record:
    """A transaction is over."""

    record: TransactionRecord


LinkEffect = ToPeer | ToShim | Record


@dataclass(slots=True)
class _Running:
    start: ChaincodeMessage
    began: float
    pending: ChaincodeMessage | None = None
    orphaned: bool = False
    requests: Counter[str] = field(default_factory=Counter)


class Link:
    """State of one joined stream. *clock* gives seconds, for the records only."""

    def __init__(self, *, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._register: ChaincodeMessage | None = None
        self._greeted: set[int] = set()
        self._running: dict[TxKey, _Running] = {}
        self._connected = False

    @property
    def registered(self) -> bool:
        """Whether the shim has said who it is."""
        return self._register is not None

    def peer_up(self) -> list[LinkEffect]:
        """A new stream to the peer is open; the shim has registered."""
        self._connected = True
        return [] if self._register is None else [ToPeer(self._register)]

    def peer_down(self) -> list[LinkEffect]:
        """The stream to the peer is gone."""
        self._connected = False
        effects: list[LinkEffect] = []
        for running in self._running.values():
            running.orphaned = True
            if running.pending is not None:
                effects.append(ToShim(error(running.pending, PEER_LOST)))
                running.pending = None
        return effects

    def from_shim(self, message: ChaincodeMessage) -> list[LinkEffect]:
        """Take a message of the chaincode; raises ProtocolViolation."""
        if message.type == ChaincodeMessage.KEEPALIVE:
            return []
        if self._register is None:
            return self._first(message)
        if message.type == ChaincodeMessage.REGISTER:
            raise _violation(message, "ready")
        if message.type in FINALS:
            return self._finish(message)
        return self._request(message)

    def from_peer(self, message: ChaincodeMessage) -> list[LinkEffect]:
        """Take a message of the peer."""
        if message.type in GREETINGS:
            return self._greet(message)
        if message.type in STARTS:
            return self._start(message)
        if message.type in REPLIES:
            return self._reply(message)
        return []

    def _first(self, message: ChaincodeMessage) -> list[LinkEffect]:
        if message.type != ChaincodeMessage.REGISTER:
            raise _violation(message, "created")
        self._register = message
        return [ToPeer(message)] if self._connected else []

    def _greet(self, message: ChaincodeMessage) -> list[LinkEffect]:
        if message.type in self._greeted:
            return []
        self._greeted.add(message.type)
        return [ToShim(message)]

    def _start(self, message: ChaincodeMessage) -> list[LinkEffect]:
        key = TxKey(message.channel_id, message.txid)
        if key in self._running:
            refusal = ChaincodeMessage(
                type=ChaincodeMessage.ERROR,
                payload=STILL_RUNNING.encode(),
                txid=message.txid,
                channel_id=message.channel_id,
            )
            return [ToPeer(refusal)]
        self._running[key] = _Running(message, self._clock())
        return [ToShim(message)]

    def _reply(self, message: ChaincodeMessage) -> list[LinkEffect]:
        running = self._running.get(TxKey(message.channel_id, message.txid))
        if running is None or running.pending is None:
            log.debug("[%s] reply that nothing waits for", message.txid[:8])
            return []
        running.pending = None
        return [ToShim(message)]

    def _request(self, message: ChaincodeMessage) -> list[LinkEffect]:
        running = self._running.get(TxKey(message.channel_id, message.txid))
        if running is None:
            return [ToShim(error(message, _no_context(message)))]
        running.requests[type_name(message.type)] += 1
        if running.orphaned:
            return [ToShim(error(message, PEER_LOST))]
        if running.pending is not None:
            log.error("[%s] another request is pending, this one is dropped", message.txid[:8])
            return []
        running.pending = message
        return [ToPeer(message)]

    def _finish(self, message: ChaincodeMessage) -> list[LinkEffect]:
        key = self._finished_by(message)
        if key is None:
            return []
        running = self._running.pop(key)
        record = Record(self._record(key, running, message))
        if running.orphaned:
            return [record]
        if not message.channel_id and key.channel_id:
            message.channel_id = key.channel_id
        return [ToPeer(message), record]

    def _finished_by(self, message: ChaincodeMessage) -> TxKey | None:
        key = TxKey(message.channel_id, message.txid)
        if key in self._running:
            return key
        if message.channel_id or message.type != ChaincodeMessage.ERROR:
            return None
        same = [running for running in self._running if running.tx_id == message.txid]
        return same[0] if len(same) == 1 else None

    def _record(self, key: TxKey, running: _Running, final: ChaincodeMessage) -> TransactionRecord:
        status, text = status_of(final)
        return TransactionRecord(
            channel_id=key.channel_id,
            tx_id=key.tx_id,
            function=function_of(running.start),
            init=running.start.type == ChaincodeMessage.INIT,
            seconds=self._clock() - running.began,
            requests=dict(running.requests),
            status=status,
            message=text,
            delivered=not running.orphaned,
        )


def _no_context(message: ChaincodeMessage) -> str:
    if message.type == ChaincodeMessage.INVOKE_CHAINCODE:
        return "could not get valid transaction"
    return "no ledger context"


def _violation(message: ChaincodeMessage, state: str) -> ProtocolViolation:
    return ProtocolViolation(
        f"[{message.txid}] Fabric side handler cannot handle message"
        f" ({type_name(message.type)}) while in {state} state"
    )
