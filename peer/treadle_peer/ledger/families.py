"""The column families of a ledger's database, and its format."""

from __future__ import annotations

from treadle_peer.storage import Family, Format

BLOCKS = "blocks"
INDEXES = "indexes"
STATE = "state"
HISTORY = "history"
META = "meta"

_MIB = 1 << 20

LEDGER_FORMAT = Format("ledger", 1)
FAMILIES = (
    Family(BLOCKS, 8 * _MIB),
    Family(INDEXES, 4 * _MIB),
    Family(STATE, 8 * _MIB),
    Family(HISTORY, 4 * _MIB),
    Family(META, _MIB),
)
