"""``treadle dev connect <ccinst>``: to the Peers of a cluster, by forwarded ports."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from typing import Final

from treadle_peer.server.chaincode_grpc import ClientTLS

from treadle_cli.cluster.forwarding import PodPort, forwarded
from treadle_cli.cluster.proxied import ApiSocket, api_socket
from treadle_cli.dev.connecting import say
from treadle_cli.dev.instantiations import Instantiation
from treadle_cli.dev.joining import Served
from treadle_cli.dev.local import direct_files
from treadle_cli.dev.peers import Credentials, PeerEnd
from treadle_cli.dev.secrets import Development, TargetPeer
from treadle_cli.errors import TreadleError

_REFRESH_SECONDS: Final = 600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterPeers:
    """The Peers where an instantiation is in development; ``peers`` empty: all of them."""

    instantiation: Instantiation
    peers: Sequence[str] = ()

    @asynccontextmanager
    async def opened(self, *, direct: bool) -> AsyncIterator[Served]:
        """See Place."""
        development = await self.instantiation.development()
        chosen = development.chosen(self.peers)
        known = Known(self.instantiation, development)
        async with AsyncExitStack() as stack:
            api = await stack.enter_async_context(api_socket(self.instantiation.kubectl))
            await stack.enter_async_context(known.refreshed())
            ends = [await _end(stack, api, known, peer) for peer in chosen]
            served = Served(
                ccid=development.text("ccid"),
                msp_id=development.text("msp_id"),
                language=development.text("language"),
                peers=ends,
            )
            tls = development.client_tls(chosen[0])
            if direct and tls is not None:
                served = replace(served, files=stack.enter_context(direct_files(tls)))
            yield served


class Known:
    """The newest contents of the Secret: the operator renews the certificates."""

    def __init__(
        self,
        instantiation: Instantiation,
        development: Development,
        *,
        every: float = _REFRESH_SECONDS,
    ) -> None:
        self.development = development
        self._instantiation = instantiation
        self._every = every
        self._said = ""

    @asynccontextmanager
    async def refreshed(self) -> AsyncIterator[None]:
        """Read it again from time to time."""
        task = asyncio.create_task(self._refresh())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _refresh(self) -> None:
        while True:
            await asyncio.sleep(self._every)
            try:
                self.development = await self._instantiation.development()
            except TreadleError as error:
                self._failed(str(error))
            except Exception as error:  # if this task ended, nobody would miss it for hours
                self._failed(repr(error))
            else:
                self._said = ""

    def _failed(self, reason: str) -> None:
        """What we have is good for half of its life yet: who serves is to know, but only once."""
        if reason != self._said:
            say(f"the certificates are not renewed until this is over: {reason}")
            self._said = reason


def _credentials(known: Known, peer: TargetPeer) -> Credentials:
    async def newest() -> ClientTLS | None:
        return known.development.client_tls(peer)

    return newest


async def _end(stack: AsyncExitStack, api: ApiSocket, known: Known, peer: TargetPeer) -> PeerEnd:
    to = PodPort(namespace=known.development.namespace, pod=peer.pod, port=peer.port)
    address = await stack.enter_async_context(forwarded(api, to, tell=say))
    return PeerEnd(name=peer.name, address=address, credentials=_credentials(known, peer))
