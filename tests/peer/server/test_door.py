"""The door: where connections go, what they may cost, and how they end."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest
from treadle_peer.server.door import Door, DoorLimits, Route
from treadle_peer.server.listener import ListenError
from treadle_peer.server.sniffing import Speech

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
HELLO = b"\x16\x03\x01\x02\x00\x01\x00"
BIG = bytes(range(256)) * 16_384  # 4 MiB
DEADLINE = 20.0

Client = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@dataclass
class Inside:
    """A listener behind the door: repeats everything; ``seen`` are its callers."""

    address: str = ""
    seen: list[str] = field(default_factory=list)
    left: asyncio.Event = field(default_factory=asyncio.Event)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        host, port = writer.get_extra_info("peername")
        self.seen.append(f"{host}:{port}")
        try:
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
        except ConnectionError:
            pass
        finally:
            self.left.set()
            writer.close()


@asynccontextmanager
async def inside() -> AsyncIterator[Inside]:
    one = Inside()
    server = await asyncio.start_server(one.serve, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()
    one.address = f"{host}:{port}"
    async with server:
        yield one


@asynccontextmanager
async def opened(
    routes: Mapping[Speech, Route], *, limits: DoorLimits | None = None
) -> AsyncIterator[tuple[Door, str]]:
    door = Door(
        address="127.0.0.1:0",
        setting="peer.chaincodeListenAddress",
        choose=routes.get,
        limits=limits,
    )
    address = door.bind()
    await door.start()
    try:
        async with asyncio.timeout(DEADLINE):
            yield door, address
    finally:
        await door.stop(0)


async def dial(address: str, first: bytes = b"") -> Client:
    host, port = address.rsplit(":", 1)
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(first)
    return reader, writer


async def closed(client: Client) -> bool:
    """Waits for the end of the connection; whether nothing was said before."""
    reader, writer = client
    try:
        return await reader.read() == b""
    except ConnectionError:
        return True
    finally:
        writer.close()


async def answered(client: Client, expected: bytes) -> None:
    assert await client[0].readexactly(len(expected)) == expected


async def test_each_speech_goes_its_own_way_with_every_byte() -> None:
    async with inside() as plain, inside() as secure:
        routes = {
            Speech.HTTP2: Route(address=plain.address),
            Speech.TLS: Route(address=secure.address),
        }
        async with opened(routes) as (_, address):
            for first, there in ((PREFACE, plain), (HELLO, secure)):
                reader, writer = await dial(address)
                for byte in first:
                    writer.write(bytes([byte]))
                    await writer.drain()
                writer.write(BIG)
                writer.write_eof()
                assert await reader.read() == first + BIG
                assert len(there.seen) == 1
                writer.close()


async def test_the_true_caller_is_known_while_the_connection_lasts() -> None:
    async with inside() as there:
        async with opened({Speech.TLS: Route(address=there.address)}) as (door, address):
            client = await dial(address, HELLO)
            await answered(client, HELLO)
            host, port = client[1].get_extra_info("sockname")
            assert there.seen[0] != f"{host}:{port}"
            assert door.origin(there.seen[0]) == f"{host}:{port}"
            assert door.origin("127.0.0.1:1") == "127.0.0.1:1"
            client[1].write_eof()
            assert await closed(client)
        assert door.origin(there.seen[0]) == there.seen[0]


@pytest.mark.parametrize("garbage", [b"GET / HTTP/1.1\r\n\r\n", b"\0" * 100, HELLO])
async def test_garbage_and_what_has_no_route_is_closed_without_a_word(
    garbage: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    async with inside() as there, opened({Speech.HTTP2: Route(address=there.address)}) as (_, at):
        assert await closed(await dial(at, garbage))
        assert not there.seen
    assert not caplog.records


@pytest.mark.parametrize("first", [b"", PREFACE[:-1], HELLO[:4]])
async def test_who_says_too_little_is_closed_in_time(first: bytes) -> None:
    limits = DoorLimits(first_bytes_seconds=0.1)
    async with inside() as there:
        routes = {Speech.HTTP2: Route(address=there.address)}
        async with opened(routes, limits=limits) as (_, address):
            assert await closed(await dial(address, first))
            assert not there.seen


async def test_who_hangs_up_half_way_is_closed_at_once() -> None:
    async with opened({}, limits=DoorLimits(first_bytes_seconds=DEADLINE * 2)) as (_, address):
        client = await dial(address, PREFACE[:5])
        client[1].write_eof()
        assert await closed(client)


async def test_a_bounded_route_ends_in_time_although_the_client_goes_on() -> None:
    async with inside() as there:
        routes = {Speech.HTTP2: Route(address=there.address, seconds=0.2)}
        async with opened(routes) as (_, address):
            client = await dial(address, PREFACE)
            await answered(client, PREFACE)
            assert await closed(client)
            await there.left.wait()


async def test_a_client_that_is_lost_is_lost_inside_too() -> None:
    async with inside() as there, opened({Speech.TLS: Route(address=there.address)}) as (_, at):
        client = await dial(at, HELLO)
        await answered(client, HELLO)
        client[1].transport.abort()
        await there.left.wait()


async def test_a_listener_that_is_gone_closes_the_connection() -> None:
    async with inside() as there:
        gone = there.address
    async with opened({Speech.TLS: Route(address=gone)}) as (_, address):
        assert await closed(await dial(address, HELLO))


async def sent(writer: asyncio.StreamWriter, data: bytes) -> None:
    """Hand it all to the kernel."""
    writer.transport.set_write_buffer_limits(high=0)
    writer.write(data)
    await writer.drain()


async def test_a_client_that_reads_nothing_stops_the_flow_instead_of_filling_memory() -> None:
    async with inside() as there, opened({Speech.TLS: Route(address=there.address)}) as (_, at):
        _, writer = await dial(at, HELLO)
        # Its stream reader stops reading at twice its limit, 128 KiB.
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(sent(writer, 16 * BIG), 1)
        writer.transport.abort()


async def served(address: str) -> bool:
    """Whether a new connection gets an answer."""
    reader, writer = await dial(address, HELLO)
    try:
        return await reader.read(len(HELLO)) == HELLO
    except ConnectionError:
        return False
    finally:
        writer.close()


async def test_a_flood_is_turned_away_said_once_and_leaves_room_when_it_is_over(
    caplog: pytest.LogCaptureFixture,
) -> None:
    limits = DoorLimits(connections=5, first_bytes_seconds=DEADLINE * 2)
    async with inside() as there:
        routes = {Speech.TLS: Route(address=there.address, seconds=DEADLINE)}
        async with opened(routes, limits=limits) as (_, address):
            held = [await dial(address, HELLO) for _ in range(3)]
            for client in held:
                await answered(client, HELLO)
            held += [await dial(address) for _ in range(2)]
            assert all([await closed(await dial(address, HELLO)) for _ in range(20)])
            for _, writer in held:
                writer.close()
            while not await served(address):
                pass
    assert len([one for one in caplog.records if "5 unadmitted" in one.message]) == 1


async def test_connections_on_an_unbounded_route_leave_their_place() -> None:
    limits = DoorLimits(connections=1)
    async with inside() as there:
        routes = {Speech.TLS: Route(address=there.address)}
        async with opened(routes, limits=limits) as (_, address):
            clients = []
            for _ in range(10):
                client = await dial(address, HELLO)
                await answered(client, HELLO)
                clients.append(client)
            for client in clients:
                client[1].write(b"still here")
                await answered(client, b"still here")
                client[1].close()


async def test_an_unbounded_route_has_room_for_so_many_only() -> None:
    limits = DoorLimits(all_connections=3)
    async with inside() as there:
        routes = {Speech.TLS: Route(address=there.address)}
        async with opened(routes, limits=limits) as (_, address):
            clients = [await dial(address, HELLO) for _ in range(3)]
            for client in clients:
                await answered(client, HELLO)
            assert await closed(await dial(address, HELLO))
            for client in clients:
                client[1].close()
            while not await served(address):
                pass


async def test_a_stop_ends_everybody() -> None:
    async with inside() as there, opened({Speech.TLS: Route(address=there.address)}) as (door, at):
        silent, busy = await dial(at), await dial(at, HELLO)
        await answered(busy, HELLO)
        await door.stop(0)
        assert await closed(silent)
        assert await closed(busy)
        with pytest.raises(ConnectionRefusedError):
            await dial(at)


async def test_a_taken_port_is_named_with_its_setting() -> None:
    async with opened({}) as (_, address):
        second = Door(address=address, setting="peer.chaincodeListenAddress", choose=lambda _: None)
        with pytest.raises(ListenError, match=r"peer\.chaincodeListenAddress") as refused:
            second.bind()
        assert address in str(refused.value)


@pytest.mark.parametrize("host", ["0.0.0.0", "localhost", ""])
async def test_names_and_every_interface_are_listened_on(host: str) -> None:
    async with inside() as there:
        route = Route(address=there.address)
        door = Door(address=f"{host}:0", setting="x", choose={Speech.TLS: route}.get)
        bound_host, _, port = door.bind().rpartition(":")
        assert bound_host == (host or "0.0.0.0")
        await door.start()
        client = await dial(f"127.0.0.1:{port}", HELLO)
        await answered(client, HELLO)
        assert door.origin(there.seen[0]).startswith("127.0.0.1:")
        client[1].close()
        await door.stop(0)
