"""Clients that speak to a port below gRPC: garbage, silence, frames without end."""

from __future__ import annotations

import asyncio
import itertools
import os
import random
import ssl
import struct
from collections.abc import Awaitable, Callable
from contextlib import suppress

from harness.rogues import http2
from harness.rogues.orders import Deeds, Orders, Pace

Wire = tuple[asyncio.StreamReader, asyncio.StreamWriter]
PROPOSE = "/protos.Endorser/ProcessProposal"
DELIVER = "/protos.Deliver/Deliver"
CLIENT_HELLO = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"
_SECONDS = 2.0


def in_turn(orders: Orders) -> itertools.cycle[str]:
    """The addresses to attack, round and round."""
    return itertools.cycle([orders.addresses[name] for name in orders.ports])


async def dial(address: str, *, tls: bool = False) -> Wire:
    """A connection, with TLS up to the handshake if asked for."""
    host, _, port = address.rpartition(":")
    context = None
    if tls:
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        context.set_alpn_protocols(["h2"])
    return await asyncio.open_connection(host, int(port), ssl=context)


async def sends_garbage(orders: Orders, deeds: Deeds) -> None:
    """Connections that begin plausibly, or not, and go on at random."""
    await deeds.start()
    moments, pace, addresses = random.Random(1), Pace(orders.rate), in_turn(orders)
    beginnings = (b"", CLIENT_HELLO, http2.PREFACE, http2.opening(), b"GET /metrics HTTP/1.1\r\n")
    async with asyncio.TaskGroup() as together:
        for number in itertools.count():
            await pace.turn()
            said = beginnings[number % len(beginnings)] + moments.randbytes(2000)
            together.create_task(_say_and_leave(next(addresses), said, deeds))


async def _say_and_leave(address: str, said: bytes, deeds: Deeds) -> None:
    with suppress(OSError, TimeoutError):
        reader, writer = await dial(address)
        try:
            writer.write(said)
            async with asyncio.timeout(_SECONDS):
                await reader.read()
        finally:
            writer.transport.abort()
    deeds.note("connections")
    deeds.at_work.set()


def _holding(said: bytes) -> Callable[[Orders, Deeds], Awaitable[None]]:
    """Hold ``count`` connections that say *said* and then nothing; lost ones are replaced."""

    async def hold(orders: Orders, deeds: Deeds) -> None:
        await deeds.start()
        pace, addresses = Pace(orders.rate), in_turn(orders)
        held: set[asyncio.Task[None]] = set()
        while True:
            await pace.turn()
            if len(held) >= orders.count:
                deeds.at_work.set()
                continue
            task = asyncio.create_task(_stay(next(addresses), said, deeds))
            held.add(task)
            task.add_done_callback(held.discard)
            if deeds.did["connections"] >= orders.count:
                deeds.at_work.set()

    return hold


async def _stay(address: str, said: bytes, deeds: Deeds) -> None:
    deeds.note("connections")
    with suppress(OSError):
        reader, writer = await dial(address)
        try:
            writer.write(said)
            while await reader.read(1 << 16):
                pass
        finally:
            writer.transport.abort()
    deeds.note("lost")


async def a_byte_at_a_time(orders: Orders, deeds: Deeds) -> None:
    """``count`` connections that each send one byte a second of what would be a good beginning."""
    await deeds.start()
    addresses, pace = in_turn(orders), Pace(orders.rate)
    said = http2.opening() + http2.frame(
        http2.HEADERS, http2.request(PROPOSE), flags=http2.END_HEADERS, stream=1
    )
    async with asyncio.TaskGroup() as together:
        for _ in range(orders.count):
            await pace.turn()
            together.create_task(_drip_for_ever(next(addresses), said, deeds))
        deeds.at_work.set()


async def _drip_for_ever(address: str, said: bytes, deeds: Deeds) -> None:
    while True:
        deeds.note("connections")
        with suppress(OSError):
            _, writer = await dial(address)
            try:
                for byte in itertools.cycle(said):
                    writer.write(bytes([byte]))
                    await writer.drain()
                    deeds.note("bytes")
                    await asyncio.sleep(1)
            finally:
                writer.transport.abort()
        await asyncio.sleep(1)


Frames = Callable[[int], bytes]
"""What to send in the turn of that number."""


def _flooding(frames: Frames, *, first: bytes = b"") -> Callable[[Orders, Deeds], Awaitable[None]]:
    """A connection to each port that sends *frames* at the rate, and is opened anew when lost."""

    async def flood(orders: Orders, deeds: Deeds) -> None:
        await deeds.start()
        async with asyncio.TaskGroup() as together:
            for name in orders.ports:
                together.create_task(_flood(orders.addresses[name], orders, deeds, frames, first))

    return flood


async def _flood(address: str, orders: Orders, deeds: Deeds, frames: Frames, first: bytes) -> None:
    pace = Pace(orders.rate)
    while True:
        await pace.turn()
        deeds.note("connections")
        with suppress(OSError):
            reader, writer = await dial(address, tls=orders.tls)
            listening = asyncio.create_task(_drop(reader))
            try:
                writer.write(http2.opening() + first)
                for number in itertools.count():
                    await pace.turn()
                    if listening.done():
                        break
                    writer.write(frames(number))
                    await writer.drain()
                    deeds.note("turns")
                    deeds.at_work.set()
            finally:
                listening.cancel()
                writer.transport.abort()


async def _drop(reader: asyncio.StreamReader) -> None:
    with suppress(OSError):
        while await reader.read(1 << 16):
            pass


def _resets(number: int) -> bytes:
    """Ten calls that are begun and given up at once (rapid reset)."""
    first = 1 + number * 20
    block = http2.request(DELIVER)
    return b"".join(
        http2.frame(http2.HEADERS, block, flags=http2.END_HEADERS, stream=stream)
        + http2.frame(http2.RST_STREAM, struct.pack(">I", 8), stream=stream)
        for stream in range(first, first + 20, 2)
    )


def _headers_without_end(number: int) -> bytes:
    kind = http2.CONTINUATION if number else http2.HEADERS
    return http2.frame(kind, http2.field(f"x-{number}", "x" * 4000), stream=1)


def _lies(number: int) -> bytes:
    """A call whose message claims to have 99 MB, of which one byte comes."""
    stream = 1 + 2 * number
    claimed = struct.pack(">BI", 0, 99 << 20) + b"x"
    return http2.frame(
        http2.HEADERS, http2.request(PROPOSE), flags=http2.END_HEADERS, stream=stream
    ) + http2.frame(http2.DATA, claimed, stream=stream)


BEHAVIOURS = {
    "sends garbage": sends_garbage,
    "connects and says nothing": _holding(b""),
    "begins TLS and stops": _holding(CLIENT_HELLO),
    "begins HTTP/2 and stops": _holding(http2.opening()),
    "begins headers and stops": _holding(
        http2.opening() + http2.frame(http2.HEADERS, http2.request(PROPOSE), stream=1)
    ),
    "sends a byte per second": a_byte_at_a_time,
    "sends headers without end": _flooding(_headers_without_end),
    "resets calls at once": _flooding(_resets),
    "floods pings": _flooding(lambda _: http2.frame(http2.PING, os.urandom(8)) * 20),
    "floods settings": _flooding(lambda _: http2.frame(http2.SETTINGS) * 20),
    "claims lengths it does not send": _flooding(_lies),
}
