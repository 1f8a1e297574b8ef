"""Calling a peer that may be restarting: again and again, but not for ever."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import TypeVar

from treadle_peer.chaincode.bridge import Backoff
from treadle_peer.pods.told import PodError
from treadle_peer.server.artifacts_client import ArtifactsError, PeerAway

_LOG = logging.getLogger(__name__)

_Result = TypeVar("_Result")


async def persist(call: Callable[[], Awaitable[_Result]], *, patience: float) -> _Result:
    """The result of *call*, which raises ArtifactsError; tried anew while the peer is away.

    Raises PodError when the peer refuses, or stays away for *patience* seconds.
    """
    backoff = Backoff()
    loop = asyncio.get_running_loop()
    end = loop.time() + patience
    while True:
        try:
            return await call()
        except PeerAway as away:
            if loop.time() > end:
                text = f"the peer could not be reached for {patience:g} s: {away}"
                raise PodError(text) from None
            _LOG.warning("%s; trying again", away)
            await backoff.wait()
        except ArtifactsError as error:
            raise PodError(f"the peer refused: {error}") from None
