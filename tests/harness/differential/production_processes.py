"""The processes that a peer launches in production: they report here and do what they are told.

The program is ``tests/differential/stand_in``; the conversation plays its chaincode.
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter, defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import grpc
from fabric_protos.peer.chaincode_shim_pb2_grpc import ChaincodeSupportStub
from harness.differential.chaincode import Chaincode
from harness.differential.streams import PATIENCE
from harness.differential.talk import Talk

PLACE = "stand-ins"
"""The file in TMPDIR that tells the launched program whom to report to."""


@dataclass(slots=True, kw_only=True)
class Process:
    """One launched process and what it was given; certificates and key are PEM, or empty."""

    ccid: str
    address: str
    msp_id: str
    root: bytes
    key: bytes
    certificate: bytes
    _reader: asyncio.StreamReader
    _writer: asyncio.StreamWriter
    _channel: grpc.aio.Channel | None = None

    def stream(self, talk: Talk, label: str = "") -> Chaincode:
        """A stream to the peer as this process opens it; recorded as ``chaincode <label>``."""
        if self._channel is None:
            self._channel = self._dialled()
        call = ChaincodeSupportStub(self._channel).Register(wait_for_ready=True)
        return Chaincode(talk, talk.line(call, f"chaincode {label or self.ccid}"))

    async def print(self, line: str) -> None:
        """Let it print *line* to stderr."""
        await self._order(f"print {line}")

    async def exit(self, code: int) -> None:
        """Let it end with *code*; returns when it is gone."""
        await self._order(f"exit {code}")
        await self.gone()

    async def gone(self) -> None:
        """Return when the process has ended, by whomever."""
        async with asyncio.timeout(PATIENCE):
            with suppress(ConnectionError):
                await self._reader.read()

    async def close(self) -> None:
        """Let it go: it ends by itself when nobody gives orders any more."""
        if self._channel is not None:
            await self._channel.close()
        self._writer.close()

    async def _order(self, order: str) -> None:
        self._writer.write(f"{order}\n".encode())
        await self._writer.drain()

    def _dialled(self) -> grpc.aio.Channel:
        if not self.certificate:
            return grpc.aio.insecure_channel(self.address)
        credentials = grpc.ssl_channel_credentials(self.root, self.key, self.certificate)
        return grpc.aio.secure_channel(self.address, credentials)


@dataclass(slots=True)
class Processes:
    """All that one peer launches; ``launches`` counts them by ccid."""

    launches: Counter[str] = field(default_factory=Counter)
    _waiting: defaultdict[str, asyncio.Queue[Process]] = field(
        default_factory=lambda: defaultdict(asyncio.Queue)
    )
    _all: list[Process] = field(default_factory=list)

    @asynccontextmanager
    async def reporting(self, folder: Path) -> AsyncIterator[None]:
        """Take reports of processes whose TMPDIR is *folder*."""
        server = await asyncio.start_server(self._report, "127.0.0.1", 0)
        host, port = server.sockets[0].getsockname()
        (folder / PLACE).write_text(f"{host}:{port}\n")
        try:
            yield
        finally:
            server.close()
            for process in self._all:
                await process.close()

    async def next(self, ccid: str) -> Process:
        """The next process launched for *ccid*, which is there or comes soon."""
        async with asyncio.timeout(PATIENCE):
            return await self._waiting[ccid].get()

    async def _report(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        told = json.loads(await reader.readline())
        process = Process(
            ccid=told["chaincode_id"],
            address=told["peer_address"],
            msp_id=told["mspid"],
            root=told["root_cert"].encode(),
            key=told["client_key"].encode(),
            certificate=told["client_cert"].encode(),
            _reader=reader,
            _writer=writer,
        )
        self._all.append(process)
        self.launches[process.ccid] += 1
        await self._waiting[process.ccid].put(process)
