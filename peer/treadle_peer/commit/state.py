"""What validation reads: the state and the transaction ids committed before the block."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from treadle_peer.ledger import Ledger, StateReader


class CommittedState(Protocol):
    """One consistent height of a channel's ledger."""

    def get_state(self, namespace: str, key: str) -> bytes | None:
        """The committed value, ``None`` for a missing key."""

    def get_state_metadata(self, namespace: str, key: str) -> Mapping[str, bytes]:
        """The key's metadata entries; empty for a missing key."""

    def has_transaction(self, tx_id: str) -> bool:
        """Whether a committed block, valid or not, contains *tx_id*."""


@dataclass(frozen=True, slots=True)
class LedgerState:
    """CommittedState over an open reader of *ledger*; nothing commits while it is used."""

    ledger: Ledger
    reader: StateReader

    def get_state(self, namespace: str, key: str) -> bytes | None:
        """See CommittedState."""
        return self.reader.get_state(namespace, key)

    def get_state_metadata(self, namespace: str, key: str) -> Mapping[str, bytes]:
        """See CommittedState."""
        return self.reader.get_state_metadata(namespace, key)

    def has_transaction(self, tx_id: str) -> bool:
        """See CommittedState."""
        return self.ledger.has_transaction(tx_id)
