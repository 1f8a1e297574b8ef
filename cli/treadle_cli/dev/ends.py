"""The chaincode's end of the bridge: it dials us, or it is a server that we dial."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Final

from treadle_peer.chaincode import StreamEnded
from treadle_peer.chaincode.bridge import Bridge
from treadle_peer.config import split_address
from treadle_peer.server.chaincode_grpc import Target, dial_chaincode_server

from treadle_cli.bridge_ends import Named, listening
from treadle_cli.errors import TreadleError

_PAUSE_SECONDS: Final = 0.03
_SILENT_SECONDS: Final = 5.0

Say = Callable[[str], None]


@asynccontextmanager
async def dialled_by_chaincode(bridge: Bridge, at: str = "", *, ccid: str) -> AsyncIterator[str]:
    """Listen *at* an address, or on a free port of the loopback interface; the address."""
    async with listening(bridge, at or "127.0.0.1:0", ccid=ccid) as address:
        yield address


async def serve_server(bridge: Bridge, address: str, *, ccid: str, say: Say) -> int:
    """Dial the chaincode server at *address* for ever, also when it is started again.

    Raises TreadleError when it is another chaincode, or when a peer refuses it.
    """

    async def server() -> Named:
        await _accepting(address, say)
        stream = await dial_chaincode_server(Target(address=address))
        return Named(stream, ccid, close=stream.close)

    try:
        await bridge.serve_dialled(server)
    except StreamEnded as ended:
        raise TreadleError(ended.sentence) from None
    raise AssertionError("a bridge dials for ever")


async def _accepting(address: str, say: Say) -> None:
    """Wait until somebody listens: gRPC would look once a second only, and slower with time."""
    host, port = split_address(address)
    clock = asyncio.get_running_loop().time
    told, began = False, clock()
    while True:
        with contextlib.suppress(OSError):
            _, writer = await asyncio.open_connection(host, port)
            writer.close()
            return
        if not told and clock() - began > _SILENT_SECONDS:
            told = True
            say(f"nobody listens at {address} yet, where the chaincode server should")
        await asyncio.sleep(_PAUSE_SECONDS)
