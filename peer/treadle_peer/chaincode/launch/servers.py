"""Chaincode that listens instead of dialling: finding it a port, knowing when it is there."""

from __future__ import annotations

import asyncio
import socket
from typing import Final

from treadle_peer.chaincode.launch import sockets
from treadle_peer.chaincode.launch.processes import RunningProgram

_POLL_SECONDS: Final = 0.05


def free_loopback_port() -> int:
    """A port that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


async def wait_until_listening(program: RunningProgram, port: int) -> bool:
    """Whether *program* came to listen on *port*; False when it ended before.

    Only its own sockets count: somebody else who took the port is not the launched chaincode.
    """
    while program.running:
        if await asyncio.to_thread(_listens, program, port):
            return True
        await asyncio.sleep(_POLL_SECONDS)
    return False


def _listens(program: RunningProgram, port: int) -> bool:
    inodes = sockets.listening_inodes(sockets.all_sockets(), port=port)
    return bool(inodes) and inodes <= sockets.held_inodes(program.members())
