"""Processes that register without end: known names, strange names, gone at once, no papers."""

from __future__ import annotations

import asyncio
import itertools
from contextlib import suppress
from pathlib import Path

import grpc
import grpc.aio
from fabric_protos.peer.chaincode_pb2 import ChaincodeID
from fabric_protos.peer.chaincode_shim_pb2 import ChaincodeMessage
from harness.rogues.orders import Deeds, Orders, Pace
from harness.rogues.stage import deployed
from harness.rogues.transactions import behaves

REGISTER = "/protos.ChaincodeSupport/Register"
_SECONDS = 5.0
_AT_ONCE = 50


def registering(name: str) -> bytes:
    """A REGISTER message."""
    payload = ChaincodeID(name=name).SerializeToString()
    return ChaincodeMessage(type=ChaincodeMessage.REGISTER, payload=payload).SerializeToString()


async def registers_and_leaves(orders: Orders, deeds: Deeds) -> None:
    """The name of an instantiated chaincode again and again, each time gone after the greeting."""
    async with deployed(orders, deeds, behaves):
        await deeds.start()
    pace = Pace(orders.rate)
    channel = grpc.aio.insecure_channel(orders.addresses["chaincode"])
    while True:
        await pace.turn()
        stream = channel.stream_stream(REGISTER)()
        with suppress(grpc.RpcError, asyncio.InvalidStateError):
            await stream.write(registering(f"{orders.name}:1"))
            await stream.read()
        stream.cancel()
        deeds.note("registrations")
        deeds.at_work.set()


async def registers_strange_names(orders: Orders, deeds: Deeds) -> None:
    """Names that nobody installed, each kept as long as the peer lets it."""
    await _knock(orders, deeds, "stranger-{}:1")


async def registers_one_name(orders: Orders, deeds: Deeds) -> None:
    """The name of a running chaincode, without the papers of one."""
    await _knock(orders, deeds, orders.name + ":1")


async def _knock(orders: Orders, deeds: Deeds, name: str) -> None:
    await deeds.start()
    pace, crowd = Pace(orders.rate), asyncio.Semaphore(max(orders.count, _AT_ONCE))
    async with asyncio.TaskGroup() as together:
        for number in itertools.count():
            await pace.turn()
            await crowd.acquire()
            knocking = _one(orders, deeds, name.format(number), number)
            together.create_task(knocking).add_done_callback(lambda _: crowd.release())


async def _one(orders: Orders, deeds: Deeds, name: str, number: int) -> None:
    async with _dialled(orders, number) as channel:
        stream = channel.stream_stream(REGISTER)(timeout=_SECONDS)
        with suppress(grpc.RpcError, asyncio.InvalidStateError):
            await stream.write(registering(name))
            await stream.read()
        code, details = await stream.code(), await stream.details()
    deeds.note("registrations")
    deeds.answers[f"{code.name}: {details}".replace(name, "<name>")[:120]] += 1
    deeds.at_work.set()


def _dialled(orders: Orders, number: int) -> grpc.aio.Channel:
    """A connection of its own; with TLS every second one dials in plaintext all the same."""
    address = orders.addresses[orders.ports[number % len(orders.ports)]]
    options = [("treadle.number", number)]
    if not orders.tls or number % 2 == 0:
        return grpc.aio.insecure_channel(address, options=options)
    root = (Path(orders.folder) / "chaincode" / "authority" / "ca.pem").read_bytes()
    return grpc.aio.secure_channel(address, grpc.ssl_channel_credentials(root), options=options)


BEHAVIOURS = {
    "registers and leaves": registers_and_leaves,
    "registers strange names": registers_strange_names,
    "registers a running name": registers_one_name,
}
