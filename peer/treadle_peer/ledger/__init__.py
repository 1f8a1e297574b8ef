"""The ledger of a channel: blocks, versioned state, history; simulation and commit.

What Fabric decides (read-write sets, MVCC, commit hash, texts) is decided as in Fabric
(fabric-wire.md §4.6, §4.7, §5.3, §5.6). Pure decisions are in ``rwset``, ``merkle``, ``mvcc``,
``effects`` and ``updates``; ``ledger`` joins them with ``treadle_peer.storage``.
"""

from treadle_peer.ledger.blocks import Location
from treadle_peer.ledger.errors import LedgerError, SimulationError
from treadle_peer.ledger.history import HistoryReader
from treadle_peer.ledger.ledger import CommittedBlock, Ledger
from treadle_peer.ledger.readers import StateReader
from treadle_peer.ledger.simulator import KeyValue, Page, RangeIterator, Simulator
from treadle_peer.ledger.store import LedgerStore
from treadle_peer.ledger.values import Version, VersionedValue

__all__ = [
    "CommittedBlock",
    "HistoryReader",
    "KeyValue",
    "Ledger",
    "LedgerError",
    "LedgerStore",
    "Location",
    "Page",
    "RangeIterator",
    "SimulationError",
    "Simulator",
    "StateReader",
    "Version",
    "VersionedValue",
]
