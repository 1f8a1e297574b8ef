"""Between an operator and the API server: sees every write, and can act at one of them.

The writes that keep a lease come by the clock: they are let through and not counted.
"""

from __future__ import annotations

import asyncio
import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal, Self

import aiohttp
from aiohttp import web

Moment = Literal["before", "after"]
Act = Callable[[int, Moment], bool]
"""Told the number of a write (from 1) and the moment; False: it goes no further."""

_HOP = frozenset({"host", "content-length", "transfer-encoding", "connection", "content-encoding"})


@dataclass(slots=True)
class Proxy:
    """A context manager; ``url`` is where the operator finds its API server.

    ``writes`` are method, path and status of all writes so far, in the order of their answers;
    ``begun`` are method and path in the order in which they came.
    """

    server: str
    act: Act = lambda number, moment: True
    writes: list[tuple[str, str, int]] = field(default_factory=list)
    begun: list[str] = field(default_factory=list)
    url: str = ""
    _loop: asyncio.AbstractEventLoop | None = None
    _thread: threading.Thread | None = None
    _ready: threading.Event = field(default_factory=threading.Event)
    _end: asyncio.Event = field(default_factory=asyncio.Event)

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._run, name="proxy")
        self._thread.start()
        assert self._ready.wait(30), "the proxy does not listen"
        return self

    def __exit__(self, *_: object) -> None:
        assert self._loop is not None
        assert self._thread is not None
        self._loop.call_soon_threadsafe(self._end.set)
        self._thread.join(30)
        assert not self._thread.is_alive(), "the proxy does not end"

    def _run(self) -> None:
        with asyncio.Runner() as runner:  # ends the open watches, too
            self._loop = runner.get_loop()
            runner.run(self._serve())

    async def _serve(self) -> None:
        # Loopback to a certificate of the test's own authority: what matters here is the traffic.
        unchecked = ssl.create_default_context()
        unchecked.check_hostname, unchecked.verify_mode = False, ssl.CERT_NONE
        connector = aiohttp.TCPConnector(ssl=unchecked, limit=0)
        async with aiohttp.ClientSession(connector=connector, auto_decompress=False) as session:

            async def forward(request: web.Request) -> web.StreamResponse:
                return await self._forward(session, request)

            application = web.Application(client_max_size=1 << 24)
            application.router.add_route("*", "/{path:.*}", forward)
            runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
            await runner.setup()
            site = web.TCPSite(runner, "127.0.0.1", 0)
            await site.start()
            self.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
            self._ready.set()
            await self._end.wait()
            await runner.cleanup()

    async def _forward(
        self, session: aiohttp.ClientSession, request: web.Request
    ) -> web.StreamResponse:
        number = 0
        if request.method != "GET" and "/leases" not in request.path:
            self.begun.append(f"{request.method} {request.path}")
            number = len(self.begun)
            if not self.act(number, "before"):
                return web.Response(status=502)
        headers = {k: v for k, v in request.headers.items() if k.lower() not in _HOP}
        body = await request.read()
        url = f"{self.server}{request.raw_path}"
        timeout = aiohttp.ClientTimeout(total=None)
        async with session.request(
            request.method,
            url,
            headers=headers,
            data=body or None,
            timeout=timeout,
            skip_auto_headers=["Content-Type", "Accept-Encoding"],
        ) as answer:
            if number:
                self.writes.append((request.method, request.path, answer.status))
                if not self.act(number, "after"):
                    return web.Response(status=502)
            return await _relay(request, answer)


async def _relay(request: web.Request, answer: aiohttp.ClientResponse) -> web.StreamResponse:
    headers = {k: v for k, v in answer.headers.items() if k.lower() not in _HOP}
    if "Content-Encoding" in answer.headers:
        headers["Content-Encoding"] = answer.headers["Content-Encoding"]
    response = web.StreamResponse(status=answer.status, headers=headers)
    try:
        await response.prepare(request)
        async for piece in answer.content.iter_any():
            await response.write(piece)
        await response.write_eof()
    except (ConnectionError, aiohttp.ClientError):
        return response  # the operator is gone
    return response
