"""The processes that a peer has, developers' too: its registry over HTTP."""

from __future__ import annotations

from typing import Final

import aiohttp

from treadle_operator.errors import PeerUnavailable
from treadle_operator.model import items_at, text_at

_DEADLINE: Final = aiohttp.ClientTimeout(total=5)


async def connected_ccids(peer: str, url: str) -> frozenset[str]:
    """The ccids of which a process is registered; raises PeerUnavailable."""
    try:
        async with aiohttp.ClientSession(timeout=_DEADLINE) as session, session.get(url) as answer:
            answer.raise_for_status()
            body = await answer.json()
    except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
        raise PeerUnavailable(f"Peer {peer} does not tell its processes: {error!r}") from error
    rows = items_at(body, "runtimes")
    return frozenset(text_at(row, "ccid") for row in rows if text_at(row, "state") == "registered")
