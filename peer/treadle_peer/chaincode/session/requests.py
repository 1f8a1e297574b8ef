"""A request with the context that serves it, as every handler gets it."""

from __future__ import annotations

from dataclasses import dataclass

from treadle_peer.chaincode.session.transactions import Transaction
from treadle_peer.execution import Call
from treadle_peer.ledger import Simulator


@dataclass(frozen=True, slots=True)
class Request:
    """One state request of a running transaction that has a ledger."""

    transaction: Transaction
    simulator: Simulator
    payload: bytes
    total_query_limit: int

    @property
    def call(self) -> Call:
        """The call that the transaction runs."""
        return self.transaction.call

    @property
    def namespace(self) -> str:
        """State lives under the chaincode's name, without its version."""
        return self.transaction.call.chaincode_name
