"""A socket in the data folder for commands of the peer's own user on the same machine.

One request and one answer per connection, each a line of JSON. Whoever may not write to the socket
file cannot connect: it belongs to the peer's user alone (mode 0600), so there is no other
authentication.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import socket
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from treadle_fabric.durable import make_folder

_log = logging.getLogger(__name__)

_LONGEST_REQUEST = 64 << 10
_PATIENCE = 10.0  # seconds for the request to arrive

Request = Mapping[str, object]
Answer = Mapping[str, object]
Handler = Callable[[Request], Awaitable[Answer]]


class ControlListener:
    """Listens at *path*, whose folder is made; *handler* answers."""

    def __init__(self, path: Path, handler: Handler) -> None:
        self._path = path
        self._handler = handler
        self._server: asyncio.Server | None = None
        self._answering: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Listen; raises OSError."""
        make_folder(self._path.parent)
        self._path.unlink(missing_ok=True)
        listening = socket.socket(socket.AF_UNIX)
        try:
            with _short_name(self._path) as name:
                listening.bind(name)
            # Nobody can connect before listen, so the mode is never too wide.
            self._path.chmod(0o600)
            self._server = await asyncio.start_unix_server(
                self._serve, sock=listening, limit=_LONGEST_REQUEST
            )
        except BaseException:
            listening.close()
            raise

    async def stop(self) -> None:
        """Take no more requests; those that run are answered first."""
        self._path.unlink(missing_ok=True)
        if self._server is not None:
            self._server.close()
        if self._answering:
            await asyncio.wait(self._answering)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._answer(reader, writer))
        self._answering.add(task)
        task.add_done_callback(self._answering.discard)
        await task

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(_PATIENCE):
                request = json.loads(await reader.readline())
            answer = await self._handler(request if isinstance(request, dict) else {})
            writer.write(json.dumps(answer).encode() + b"\n")
            await writer.drain()
        except (OSError, ValueError, TimeoutError) as error:
            _log.info("control socket: %s", error)
        finally:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()


@contextmanager
def _short_name(path: Path) -> Iterator[str]:
    """A name for a socket file that fits into an address, however deep its folder is.

    Linux keeps 107 bytes for it; a descriptor of the folder stands for the folder.
    """
    descriptor = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{descriptor}/{path.name}"
    finally:
        os.close(descriptor)


def ask(path: Path, request: Request) -> Answer | None:
    """The answer of the peer that listens at *path*; None when nobody does. Blocking.

    Raises OSError when it may not be asked, or went away before it answered.
    """
    with socket.socket(socket.AF_UNIX) as connection:
        try:
            with _short_name(path) as name:
                connection.connect(name)
        except (FileNotFoundError, ConnectionRefusedError):
            return None
        connection.sendall(json.dumps(request).encode() + b"\n")
        with connection.makefile("rb") as stream:
            line = stream.readline()
    if not line.endswith(b"\n"):
        raise ConnectionResetError("the peer went away before it answered")
    answer: dict[str, object] = json.loads(line)
    return answer
