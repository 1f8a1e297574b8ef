"""Ports of pods over WebSockets: real kubectl, real API server, a kubelet's end of the harness."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import pytest
from harness.kubernetes.control_plane import ControlPlane
from harness.kubernetes.kubelets import ForwardingKubelet
from harness.processes import wait_until
from treadle_cli.cluster.forwarding import PodPort, forwarded
from treadle_cli.cluster.kubectl import Kubectl
from treadle_cli.cluster.proxied import ApiSocket, api_socket

pytestmark = pytest.mark.kubernetes

POD = "forwarded-0"
TO = PodPort(namespace="default", pod=POD, port=7052)


@pytest.fixture(scope="module")
def kubelet(api_server: ControlPlane) -> Iterator[ForwardingKubelet]:
    with ForwardingKubelet(api_server) as running:
        running.pod("default", POD)
        yield running


@pytest.fixture
def kubectl(api_server: ControlPlane, monkeypatch: pytest.MonkeyPatch) -> Kubectl:
    monkeypatch.setenv("KUBECONFIG", str(api_server.kubeconfig))
    monkeypatch.setenv("PATH", f"{api_server.binaries}:{os.environ['PATH']}")
    return Kubectl()


@asynccontextmanager
async def echoing() -> AsyncIterator[str]:
    """The address of a server that says what it hears; its connections end with it."""
    connections: set[asyncio.Task[None]] = set()

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
        finally:
            await ended(writer)

    def accepted(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.add(asyncio.create_task(echo(reader, writer)))

    server = await asyncio.start_server(accepted, "127.0.0.1", 0)
    try:
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        for task in connections:
            task.cancel()
        await asyncio.gather(*connections, return_exceptions=True)


async def ended(writer: asyncio.StreamWriter) -> None:
    """Close it, and wait until it is closed: what is left over would be another test's warning."""
    writer.close()
    with contextlib.suppress(ConnectionError):
        await writer.wait_closed()


async def exchange(address: str, data: bytes) -> bytes:
    """Send *data* and read as much back; less when the connection ends before."""
    host, _, port = address.rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    try:
        async with asyncio.timeout(30):
            writer.write(data)
            return await reader.readexactly(len(data))
    except (asyncio.IncompleteReadError, ConnectionError) as short:
        return getattr(short, "partial", b"")
    finally:
        await ended(writer)


async def test_bytes_pass_both_ways_on_as_many_connections_as_are_made(
    kubelet: ForwardingKubelet, kubectl: Kubectl
) -> None:
    large = os.urandom(3_000_000)
    said: list[str] = []
    async with (
        echoing() as kubelet.ports[POD, 7052],
        api_socket(kubectl) as api,
        forwarded(api, TO, tell=said.append) as address,
    ):
        assert await exchange(address, b"x") == b"x"
        answers = await asyncio.gather(*(exchange(address, large) for _ in range(3)))
        assert answers == [large] * 3
    assert said == []


async def test_a_connection_that_was_cut_can_be_made_again(
    kubelet: ForwardingKubelet, kubectl: Kubectl
) -> None:
    said: list[str] = []
    async with (
        echoing() as kubelet.ports[POD, 7052],
        api_socket(kubectl) as api,
        forwarded(api, TO, tell=said.append) as address,
    ):
        host, _, port = address.rpartition(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(b"a")
        assert await asyncio.wait_for(reader.readexactly(1), 30) == b"a"
        await asyncio.to_thread(kubelet.cut)
        assert await asyncio.wait_for(reader.read(), 30) == b""
        await ended(writer)
        assert await exchange(address, b"again") == b"again"


async def test_the_reason_of_a_refusal_is_told_once(
    kubelet: ForwardingKubelet, kubectl: Kubectl
) -> None:
    kubelet.ports[POD, 7052] = "127.0.0.1:1"
    said: list[str] = []
    async with api_socket(kubectl) as api:
        async with forwarded(api, TO, tell=said.append) as address:
            for _ in range(2):
                assert await exchange(address, b"x") == b""
        nowhere = PodPort(namespace="default", pod="nobody-0", port=7052)
        async with forwarded(api, nowhere, tell=said.append) as address:
            assert await exchange(address, b"x") == b""
    assert len(said) == 2
    assert "error forwarding port 7052 to pod forwarded-0" in said[0]
    assert said[1] == "port 7052 of pod nobody-0 cannot be forwarded: there is no such pod"


async def test_kubectl_is_started_again_when_it_has_ended(
    kubelet: ForwardingKubelet, kubectl: Kubectl
) -> None:
    async with (
        echoing() as kubelet.ports[POD, 7052],
        api_socket(kubectl) as api,
        forwarded(api, TO, tell=print) as address,
    ):
        assert await exchange(address, b"x") == b"x"
        await kill(api)
        assert await exchange(address, b"y") == b"y"


async def test_a_silent_tunnel_is_kept_alive_and_a_dead_one_is_noticed(
    kubelet: ForwardingKubelet, kubectl: Kubectl
) -> None:
    async with (
        echoing() as kubelet.ports[POD, 7052],
        api_socket(kubectl, ping_seconds=2) as api,
        forwarded(api, TO, tell=print) as address,
    ):
        host, _, port = address.rpartition(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        await asyncio.to_thread(
            wait_until, lambda: kubelet.pings, within=60, what="the tunnel being pinged"
        )
        writer.write(b"alive")
        assert await asyncio.wait_for(reader.readexactly(5), 30) == b"alive"
        kubelet.deaf = True
        try:
            assert await asyncio.wait_for(reader.read(), 30) == b""
        finally:
            kubelet.deaf = False
            await ended(writer)


async def kill(api: ApiSocket) -> None:
    process = api._process
    assert process is not None
    process.kill()
    await process.wait()
