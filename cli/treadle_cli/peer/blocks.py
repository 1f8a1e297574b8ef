"""Fetching single blocks from an orderer or a peer."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from dataclasses import dataclass

from fabric_protos.common.common_pb2 import Block
from treadle_fabric.client import (
    ClientError,
    DeliverRefused,
    DeliverStream,
    Position,
    seek_request,
    status_name,
)

from treadle_cli.peer.errors import CommandError
from treadle_cli.peer.invoking import PATIENCE
from treadle_cli.peer.session import Session
from treadle_cli.peer.targets import default_endpoint, open_orderer, open_peer, orderer_endpoint

_POLL_SECONDS = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockReader:
    """One deliver stream of one channel, asked for one block at a time."""

    session: Session
    channel: str
    stream: DeliverStream[Block]
    tls_cert_hash: bytes
    best_effort: bool = False

    async def block(self, at: Position, *, within: float = PATIENCE) -> Block:
        """The block at *at*; waits for one that is still to come. Raises CommandError."""
        request = seek_request(
            signer=self.session.signer,
            channel_id=self.channel,
            start=at,
            stop=at,
            best_effort=self.best_effort,
            tls_cert_hash=self.tls_cert_hash,
        )
        try:
            await self.stream.seek(request, within=within)
            block = await self.stream.read(within=within)
            if block is None:
                raise DeliverRefused(200)
            self._report(f"Received block: {block.header.number}")
            await self.stream.read(within=within)
        except DeliverRefused as error:
            status = f"&{{{status_name(error.status)}}}"
            self._report(f"Expect block, but got status: {status}")
            raise CommandError(f"can't read the block: {status}") from None
        except ClientError as error:
            raise CommandError(f"error receiving: {error}") from None
        return block

    def _report(self, text: str) -> None:
        self.session.log.info("cli.common", "readBlock", text)


async def open_reader(
    stack: AsyncExitStack,
    session: Session,
    *,
    channel: str,
    from_orderer: bool,
    best_effort: bool = False,
) -> BlockReader:
    """Connect to the orderer of ``-o`` or to the user's peer; raises CommandError."""
    if from_orderer:
        stream, certificate_hash = await _orderer_stream(stack, session)
    else:
        stream, certificate_hash = await _peer_stream(stack, session)
    return BlockReader(
        session=session,
        channel=channel,
        stream=await stack.enter_async_context(stream),
        tls_cert_hash=certificate_hash,
        best_effort=best_effort,
    )


async def read_first_block(session: Session, *, channel: str, within: float) -> Block:
    """Block 0 from the orderer, asked for until a new channel has one; raises CommandError."""
    try:
        async with asyncio.timeout(within):
            while True:
                async with AsyncExitStack() as stack:
                    reader = await open_reader(stack, session, channel=channel, from_orderer=True)
                    try:
                        return await reader.block(0)
                    except CommandError:
                        await asyncio.sleep(_POLL_SECONDS)
    except TimeoutError:
        raise CommandError("timeout waiting for channel creation") from None


async def _orderer_stream(
    stack: AsyncExitStack, session: Session
) -> tuple[DeliverStream[Block], bytes]:
    flags = session.orderer
    if len(flags.address.split(":")) != 2:
        raise CommandError(f"ordering service endpoint {flags.address} is not valid or missing")
    try:
        endpoint = orderer_endpoint(flags, flags.address)
        orderer = await open_orderer(stack, endpoint, seconds=flags.connect_seconds)
    except CommandError as error:
        raise CommandError(f"failed to create deliver client for orderer: {error}") from None
    return orderer.deliver(), endpoint.tls_cert_hash


async def _peer_stream(
    stack: AsyncExitStack, session: Session
) -> tuple[DeliverStream[Block], bytes]:
    try:
        endpoint = default_endpoint(session.settings)
        peer = await open_peer(
            stack, endpoint, seconds=session.settings.connect_seconds, role="deliver"
        )
    except CommandError as error:
        prefix = (
            "error getting deliver client for channel: failed to create deliver client for peer"
        )
        raise CommandError(f"{prefix}: {error}") from None
    return peer.deliver(), endpoint.tls_cert_hash
