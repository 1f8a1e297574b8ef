"""The transactions that run on one stream, and what each of them owns."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import dataclass, field

from fabric_protos.peer.chaincode_shim_pb2 import ChaincodeMessage

from treadle_peer.chaincode.session.effects import TxKey
from treadle_peer.chaincode.session.queries import OpenQueries
from treadle_peer.execution import Call, CallKind, ExecutionError


@dataclass(frozen=True, slots=True)
class Invocation:
    """The INVOKE_CHAINCODE request that a transaction waits for."""

    token: int
    request: ChaincodeMessage


@dataclass(slots=True, eq=False)
class Transaction:
    """One running call: its ledger context and everything that dies with it.

    ``number`` tells it from another one of the same key.
    """

    key: TxKey
    call: Call
    deadline: float | None
    number: int
    queries: OpenQueries = field(default_factory=OpenQueries)
    invocation: Invocation | None = None

    @property
    def initialising(self) -> bool:
        """Whether private data is out of reach (fabric-wire.md §1.4)."""
        return self.call.kind is CallKind.INIT


class Transactions:
    """Running transactions by (channel, txid), with their deadlines."""

    def __init__(self) -> None:
        self._running: dict[TxKey, Transaction] = {}
        # Not the transactions themselves: most end long before their deadlines, and an entry
        # stays until it is the first.
        self._deadlines: list[tuple[float, int, TxKey]] = []
        self._begun = 0

    def __len__(self) -> int:
        return len(self._running)

    def __contains__(self, key: TxKey) -> bool:
        return key in self._running

    def __iter__(self) -> Iterator[TxKey]:
        return iter(tuple(self._running))

    def begin(self, call: Call, deadline: float | None) -> Transaction:
        """Open the context; raises ExecutionError when the key is taken (wire §1.5)."""
        key = TxKey(call.channel_id, call.tx_id)
        if key in self._running:
            raise ExecutionError(f"txid: {call.tx_id}({call.channel_id}) exists")
        self._begun += 1
        transaction = Transaction(key, call, deadline, self._begun)
        self._running[key] = transaction
        if deadline is not None:
            heapq.heappush(self._deadlines, (deadline, transaction.number, key))
        return transaction

    def get(self, channel_id: str, tx_id: str) -> Transaction | None:
        """The running transaction, if any."""
        return self._running.get(TxKey(channel_id, tx_id))

    def finished_by(self, message: ChaincodeMessage) -> Transaction | None:
        """Which transaction a COMPLETED or ERROR ends.

        The Python shim sends ERROR without a channel id: it is matched by txid when exactly
        one transaction has that id (fabric-wire.md §7, 21).
        """
        exact = self.get(message.channel_id, message.txid)
        if exact is not None or message.channel_id or message.type != ChaincodeMessage.ERROR:
            return exact
        same = [t for key, t in self._running.items() if key.tx_id == message.txid]
        return same[0] if len(same) == 1 else None

    def end(self, key: TxKey) -> Transaction | None:
        """Forget the transaction and close its iterators."""
        transaction = self._running.pop(key, None)
        if transaction is not None:
            transaction.queries.close()
        return transaction

    def next_deadline(self) -> float | None:
        """When the first running transaction expires, ``None`` when none ever does."""
        self._drop_ended()
        return self._deadlines[0][0] if self._deadlines else None

    def expired(self, now: float) -> list[TxKey]:
        """The running transactions whose deadline has passed."""
        keys = []
        self._drop_ended()
        while self._deadlines and self._deadlines[0][0] <= now:
            keys.append(heapq.heappop(self._deadlines)[2])
            self._drop_ended()
        return keys

    def _drop_ended(self) -> None:
        while self._deadlines:
            _, number, key = self._deadlines[0]
            transaction = self._running.get(key)
            if transaction is not None and transaction.number == number:
                return
            heapq.heappop(self._deadlines)
