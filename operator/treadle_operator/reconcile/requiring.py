"""Wanting a runtime of a peer, and wanting a failed one anew."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from treadle_operator.model.peering import Origin, Runtime, State
from treadle_operator.peers import PeerLink

_FIRST_RETRY: Final = timedelta(seconds=10)
_LONGEST_RETRY: Final = timedelta(minutes=5)
_LONGEST_REBUILD: Final = timedelta(hours=1)


async def require(
    link: PeerLink, ccid: str, now: datetime, *, execute_timeout: timedelta | None
) -> tuple[Runtime | None, datetime | None]:
    """Want a runtime, unless the peer knows that already: how it is, None while nobody knows; and
    when one that has failed is to be wanted anew. A transaction may take as long as
    *execute_timeout*, None: as the peer lets any. Raises PeerUnavailable and PeerRefused.
    """
    row, due = link.runtimes.get(ccid), None
    if row is None and not link.synced:
        return None, None
    if row is not None and row.state is State.FAILED:
        due = row.since + retry_after(row.attempt, built=row.is_built)
    overdue = due is not None and due <= now
    # What a watch told that is lost since may be over.
    stale = row is not None and row.state is State.REGISTERED and not link.synced
    known = row is not None and row.origin is Origin.OPERATOR
    if row is None or not known or row.execute_timeout != execute_timeout or overdue or stale:
        return await link.require(ccid, execute_timeout), None
    return row, due


def retry_after(attempt: int, *, built: bool) -> timedelta:
    """How long a runtime that has failed so often rests before it is wanted anew.

    A build costs more than a start, and seldom ends in another way the next time.
    """
    doublings = min(max(attempt - 1, 0), 10)
    longest = _LONGEST_RETRY if built else _LONGEST_REBUILD
    return min(_FIRST_RETRY * (1 << doublings) * (1 if built else 6), longest)
