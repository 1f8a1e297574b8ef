"""What can go wrong with a ledger."""

from __future__ import annotations


class LedgerError(Exception):
    """The ledger refuses or cannot; where Fabric has a text for it, the text is Fabric's."""


class SimulationError(LedgerError):
    """A simulated transaction asked for something that it may not have (fabric-wire.md §4.6)."""
