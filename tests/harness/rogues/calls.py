"""Clients that use gRPC properly and the peer badly."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import grpc
import grpc.aio
from harness.rogues.orders import Deeds, Orders, Pace
from harness.runtimes import CHANNEL
from treadle_fabric.client import FOREVER, Endpoint, TLSOptions, seek_request
from treadle_fabric.msp import load_local_msp

PROPOSE = "/protos.Endorser/ProcessProposal"
DELIVER = "/protos.Deliver/Deliver"
BROADCAST = "/orderer.AtomicBroadcast/Broadcast"
_TOO_LARGE = 120_000_000
_UNBOUNDED = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]


def endpoint(orders: Orders, port: str) -> Endpoint:
    """Of one of the peer's ports, with its client files."""
    folder = Path(orders.folder) / "client" / "tls"
    options = TLSOptions(root_certificates=(folder / "ca.crt").read_bytes()) if orders.tls else None
    return Endpoint(address=orders.addresses[port], tls=options)


def connect(orders: Orders, port: str, *, number: int = 0) -> grpc.aio.Channel:
    """A connection of its own for every *number*."""
    at = endpoint(orders, port)
    options = [*_UNBOUNDED, ("treadle.number", number)]
    if at.tls is None:
        return grpc.aio.insecure_channel(at.address, options=options)
    credentials = grpc.ssl_channel_credentials(at.tls.root_certificates)
    return grpc.aio.secure_channel(at.address, credentials, options=options)


async def reads_no_blocks(orders: Orders, deeds: Deeds) -> None:
    """``count`` clients ask for all blocks and never read one."""
    await deeds.start()
    admin = load_local_msp(Path(orders.folder) / "client" / "msp", msp_id="Org1MSP").signer
    request = seek_request(signer=admin, channel_id=CHANNEL, start=0, stop=FOREVER)
    held = []
    for number in range(orders.count):
        stream = connect(orders, "peer", number=number).stream_stream(DELIVER)()
        await stream.write(request.SerializeToString())
        held.append(stream)
        deeds.note("streams")
    deeds.at_work.set()
    await asyncio.sleep(3600)


async def opens_streams(orders: Orders, deeds: Deeds) -> None:
    """``count`` Deliver streams that ask for nothing, a hundred per connection."""
    await deeds.start()
    pace, held = Pace(orders.rate), []
    for number in range(orders.count):
        if number % 100 == 0:
            channel = connect(orders, "peer", number=number)
        await pace.turn()
        stream = channel.stream_stream(DELIVER)()
        try:
            await stream.wait_for_connection()
        except grpc.aio.AioRpcError as refused:
            deeds.answers[f"{refused.code().name}: {refused.details()}"] += 1
            continue
        held.append(stream)
        deeds.note("streams")
    deeds.at_work.set()
    await asyncio.sleep(3600)


async def sends_too_much(orders: Orders, deeds: Deeds) -> None:
    """Proposals and envelopes above the message limit."""
    await deeds.start()
    pace, large = Pace(orders.rate), bytes(_TOO_LARGE)
    proposing = connect(orders, "peer").unary_unary(PROPOSE)
    ordering = connect(orders, "ordering").stream_stream(BROADCAST)

    async def one() -> AsyncIterator[bytes]:
        yield large

    while True:
        await pace.turn()
        try:
            await proposing(large)
        except grpc.aio.AioRpcError as refused:
            deeds.answers[f"{refused.code().name}: {refused.details()}"] += 1
        deeds.note("proposals")
        deeds.at_work.set()
        await pace.turn()
        try:
            async for _ in ordering(one()):
                pass
        except grpc.aio.AioRpcError as refused:
            deeds.answers[f"{refused.code().name}: {refused.details()}"] += 1
        deeds.note("envelopes")


async def proposes_garbage(orders: Orders, deeds: Deeds) -> None:
    """Bytes that are no proposals, at the rate, over several connections."""
    await deeds.start()
    pace = Pace(orders.rate)
    calls = [connect(orders, "peer", number=number).unary_unary(PROPOSE) for number in range(4)]
    async with asyncio.TaskGroup() as together:
        while True:
            for call in calls:
                await pace.turn()
                together.create_task(_propose(call, deeds))


async def _propose(call: grpc.aio.UnaryUnaryMultiCallable[bytes, bytes], deeds: Deeds) -> None:
    with suppress(grpc.aio.AioRpcError):
        await call(os.urandom(200))
    deeds.note("proposals")
    deeds.at_work.set()


BEHAVIOURS = {
    "reads no blocks": reads_no_blocks,
    "opens thousands of streams": opens_streams,
    "sends too large messages": sends_too_much,
    "proposes garbage": proposes_garbage,
}
