"""Clients of the operations port that do not want to know how the peer fares."""

from __future__ import annotations

import asyncio
import itertools
from contextlib import suppress

from harness.rogues.connections import dial
from harness.rogues.orders import Deeds, Orders, Pace

_CHUNK = bytes(1 << 16)
_WRONG = (
    "GET /nothing/at/all HTTP/1.1",
    "DELETE /metrics HTTP/1.1",
    "POST /logspec HTTP/1.1",
    "PUT /healthz HTTP/1.1",
    "GET /../../etc/passwd HTTP/1.1",
    "BREW /coffee HTTP/1.1",
)


async def asks_for_nothing(orders: Orders, deeds: Deeds) -> None:
    """Unknown paths and wrong methods."""
    await deeds.start()
    pace = Pace(orders.rate)
    for line in itertools.cycle(_WRONG):
        await pace.turn()
        with suppress(OSError):
            reader, writer = await dial(orders.addresses["operations"])
            writer.write(
                f"{line}\r\nHost: x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode()
            )
            status = (await reader.readline()).decode().strip()
            deeds.answers[f"{line.split()[0]} {status}"] += 1
            writer.transport.abort()
        deeds.note("requests")
        deeds.at_work.set()


async def sends_huge_headers(orders: Orders, deeds: Deeds) -> None:
    """Header fields without end, 64 KiB at a time."""
    await deeds.start()
    pace = Pace(orders.rate)
    while True:
        with suppress(OSError):
            _, writer = await dial(orders.addresses["operations"])
            writer.write(b"GET /metrics HTTP/1.1\r\nHost: x\r\n")
            for number in range(1000):
                await pace.turn()
                writer.write(b"X-%d: " % number + b"x" * 65_000 + b"\r\n")
                await writer.drain()
                deeds.note("fields")
                deeds.at_work.set()
        deeds.note("connections")


async def sends_headers_slowly(orders: Orders, deeds: Deeds) -> None:
    """``count`` requests whose headers come byte by byte and never end (slow loris)."""
    await deeds.start()
    async with asyncio.TaskGroup() as together:
        for _ in range(orders.count):
            together.create_task(_loris(orders, deeds))
        await asyncio.sleep(1)
        deeds.at_work.set()


async def _loris(orders: Orders, deeds: Deeds) -> None:
    while True:
        deeds.note("connections")
        with suppress(OSError):
            _, writer = await dial(orders.addresses["operations"])
            writer.write(b"GET /metrics HTTP/1.1\r\nHost: x\r\nX-Slow: ")
            while True:
                writer.write(b"x")
                await writer.drain()
                await asyncio.sleep(1)
        await asyncio.sleep(1)


async def sends_gigabytes(orders: Orders, deeds: Deeds) -> None:
    """Bodies of a GiB, to paths that take one and to paths that do not."""
    await deeds.start()
    pace = Pace(orders.rate)
    for line in itertools.cycle(("PUT /logspec", "GET /metrics", "POST /nothing")):
        with suppress(OSError):
            _, writer = await dial(orders.addresses["operations"])
            head = f"{line} HTTP/1.1\r\nHost: x\r\nContent-Length: {1 << 30}\r\n\r\n"
            writer.write(head.encode())
            for _ in range((1 << 30) // len(_CHUNK)):
                await pace.turn()
                writer.write(_CHUNK)
                async with asyncio.timeout(1):
                    await writer.drain()
                deeds.note("chunks")
                deeds.at_work.set()
        deeds.note("bodies")


BEHAVIOURS = {
    "asks for what is not there": asks_for_nothing,
    "sends huge headers": sends_huge_headers,
    "sends headers slowly": sends_headers_slowly,
    "sends bodies of a GiB": sends_gigabytes,
}
