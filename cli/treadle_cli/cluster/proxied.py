"""The API server over ``kubectl proxy`` on a private socket: WebSockets with the user's login.

kubectl brings what a kubeconfig may name: client certificates, tokens, exec plugins, proxies, and
the service account of a pod. The socket lies in a folder that only this user may enter, and leads
to the ports of pods only.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final
from urllib.parse import quote

from aiohttp import ClientSession, ClientTimeout, ClientWebSocketResponse, UnixConnector
from aiohttp.client_exceptions import ClientError, WSServerHandshakeError

from treadle_cli.cluster.kubectl import Kubectl, end
from treadle_cli.errors import TreadleError

PROTOCOL: Final = "v4.channel.k8s.io"
_PING_SECONDS: Final = 20.0
_OPENING: Final = ClientTimeout(total=None, connect=15.0, sock_connect=15.0)
_START_SECONDS: Final = 15.0
_MAX_MESSAGE: Final = 4 * 1024 * 1024
_PATHS: Final = "^/api/v1/namespaces/[^/]+/pods/[^/]+/portforward$"
_LINE: Final = b"Starting to serve on"
_REASONS: Final = {
    401: "the API server does not know you, log in anew",
    403: "you may not, ask an administrator for the Role that `treadle dev role` prints",
    404: "there is no such pod",
}


@dataclass(slots=True, kw_only=True)
class ApiSocket:
    """WebSockets to pods; kubectl is started when one is wanted, and again when it has ended.

    Each is pinged after ``ping_seconds`` of silence, and given up when half of that passes without
    an answer.
    """

    kubectl: Kubectl
    folder: Path
    ping_seconds: float = _PING_SECONDS
    _process: asyncio.subprocess.Process | None = None
    _reader: asyncio.Task[None] | None = None
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    @asynccontextmanager
    async def port(
        self, namespace: str, pod: str, port: int
    ) -> AsyncIterator[ClientWebSocketResponse]:
        """A connection to *port* of *pod*: messages begin with 0 (data) or 1 (an error's text).

        Raises TreadleError with the API server's reason.
        """
        socket = await self._serving()
        path = f"/api/v1/namespaces/{quote(namespace)}/pods/{quote(pod)}/portforward?ports={port}"
        connector = UnixConnector(path=str(socket))
        async with ClientSession(connector=connector, timeout=_OPENING) as session:
            try:
                opened = await session.ws_connect(
                    f"http://localhost{path}",
                    protocols=[PROTOCOL],
                    heartbeat=self.ping_seconds,
                    max_msg_size=_MAX_MESSAGE,
                )
            except WSServerHandshakeError as error:
                raise TreadleError(_refused(error, pod, port)) from None
            except (ClientError, OSError, TimeoutError) as error:
                raise TreadleError(f"the API server cannot be reached: {error}") from None
            async with opened:
                yield opened

    async def close(self) -> None:
        """End kubectl."""
        process, self._process = self._process, None
        if process is not None and process.returncode is None:
            process.terminate()
            await process.wait()
        if self._reader is not None:
            await self._reader

    async def _serving(self) -> Path:
        """The socket of a kubectl that runs."""
        socket = self.folder / "api"
        async with self._lock:
            if self._process is not None and self._process.returncode is None:
                return socket
            socket.unlink(missing_ok=True)
            self._process = await self.kubectl.start(
                "proxy", f"--unix-socket={socket}", f"--accept-paths={_PATHS}"
            )
            self._reader = asyncio.create_task(await _started(self._process))
        return socket


@asynccontextmanager
async def api_socket(
    kubectl: Kubectl, *, ping_seconds: float = _PING_SECONDS
) -> AsyncIterator[ApiSocket]:
    """An ApiSocket that ends with the context."""
    async with AsyncExitStack() as stack:
        folder = stack.enter_context(TemporaryDirectory(prefix="treadle-api-"))
        made = ApiSocket(kubectl=kubectl, folder=Path(folder), ping_seconds=ping_seconds)
        stack.push_async_callback(made.close)
        yield made


async def _started(process: asyncio.subprocess.Process) -> Coroutine[None, None, None]:
    """Wait until it serves; reads what it says from then on, so that it can go on saying it."""
    if process.stdout is None or process.stderr is None:
        raise AssertionError("both were asked for")
    try:
        async with asyncio.timeout(_START_SECONDS):
            line = await process.stdout.readline()
            words = b"" if line.startswith(_LINE) else await process.stderr.read()
    except TimeoutError:
        await end(process)
        raise TreadleError(f"kubectl does not serve within {_START_SECONDS:g} s") from None
    if not line.startswith(_LINE):
        said = words.decode(errors="replace").strip()
        raise TreadleError("kubectl does not lead to the API server", said)
    return _read(process.stderr)


async def _read(stream: asyncio.StreamReader) -> None:
    while await stream.read(4096):
        pass


def _refused(error: WSServerHandshakeError, pod: str, port: int) -> str:
    reason = _REASONS.get(error.status, f"the API server answered with HTTP {error.status}")
    return f"port {port} of pod {pod} cannot be forwarded: {reason}"
