"""The links to all Peers: opened when first needed, opened anew when their Secrets change."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable
from types import TracebackType
from typing import Final

from treadle_operator.kube import Kube
from treadle_operator.model import Key, Kind
from treadle_operator.peers.access import read_access
from treadle_operator.peers.link import Link

_FIRST_SECONDS: Final = 5.0

_Place = tuple[str, str]


class Connections:
    """See Peers; an async context manager. ``on_change`` is called with what a peer's watch tells:
    the key of a runtime, that of the Peer when the watch is complete or lost, or that of its
    refusals. *epoch* gives the
    operator's present term in a namespace, and raises NotLeading.
    """

    def __init__(self, kube: Kube, epoch: Callable[[str], int]) -> None:
        self.on_change: Callable[[Key], object] = lambda key: None
        self._kube = kube
        self._epoch = epoch
        self._links: dict[_Place, Link] = {}
        # None is taken away: who waits for one and who comes then must have the same.
        self._locks: defaultdict[_Place, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def link(self, namespace: str, peer: str) -> Link:
        """The link to a Peer; raises PeerUnavailable and KubeError."""
        place = namespace, peer
        async with self._locks[place]:
            found = self._links.get(place)
        return found if found is not None else await self.refresh(namespace, peer)

    async def refresh(self, namespace: str, peer: str) -> Link:
        """The link to a Peer as its Secrets are now; raises PeerUnavailable and KubeError."""
        place = namespace, peer
        async with self._locks[place]:
            access = await read_access(self._kube, namespace, peer)
            found = self._links.get(place)
            if found is not None and found.access.fingerprint == access.fingerprint:
                return found
            opened = self._links[place] = Link(
                access,
                told=lambda ccid: self._told(place, ccid),
                epoch=lambda: self._epoch(namespace),
                refused=lambda: self.on_change(Key(Kind.REFUSALS, namespace, peer)),
            )
            if found is not None:
                await found.close()
            # Whoever looks before it has told anything would take what runs for missing.
            await opened.tried(_FIRST_SECONDS)
            return opened

    async def drop(self, namespace: str, peer: str) -> None:
        """Close the link to a Peer that is gone."""
        place = namespace, peer
        async with self._locks[place]:
            found = self._links.pop(place, None)
            if found is not None:
                await found.close()

    async def close(self) -> None:
        """Close all links."""
        for place in list(self._links):
            await self.drop(*place)

    async def __aenter__(self) -> Connections:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    def _told(self, place: _Place, ccid: str) -> None:
        namespace, peer = place
        if ccid:
            self.on_change(Key(Kind.RUNTIME, namespace, f"{peer}/{ccid}"))
        else:
            self.on_change(Key(Kind.PEER, namespace, peer))
            self.on_change(Key(Kind.DEVELOPMENTS, namespace, peer))
