"""``treadle dev connect``: the developer's process and the bridge, until one of them is over."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import socket
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import click
from treadle_peer.chaincode.bridge import Backoff, Bridge, TransactionRecord
from treadle_peer.server.listener import ListenError

from treadle_cli.bridging import transaction_line
from treadle_cli.dev.ends import dialled_by_chaincode, serve_server
from treadle_cli.dev.foreground import Foreground
from treadle_cli.dev.peers import Doors, PeerEnd, Refusal
from treadle_cli.dev.starting import DirectFiles, Told, arguments, environment
from treadle_cli.dev.supervising import Supervised
from treadle_cli.errors import TreadleError

_LONGEST_SECONDS: Final = 2.0
_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """What to join to ``peers``: a command, a ``server`` (host:port) that runs already, or what
    dials us at ``listen``.

    ``language`` is one of LANGUAGES. ``direct``: the shim dials the only peer itself, with
    ``files`` where that has TLS.
    """

    ccid: str
    msp_id: str
    peers: Sequence[PeerEnd]
    language: str
    command: Sequence[str] = ()
    watch: Sequence[Path] = ()
    server: str = ""
    listen: str = ""
    direct: bool = False
    files: DirectFiles | None = None
    take: bool = False
    log_transactions: bool = False

    @property
    def serves(self) -> bool:
        """Whether the chaincode listens and the bridge dials it."""
        return bool(self.server) or (self.language == "python" and not self.listen)


@dataclass(frozen=True, slots=True)
class Outcome:
    """How it ended: exit code of the command, and what a peer said if that ended it."""

    code: int
    refusal: Refusal


async def connect(wanted: Connection) -> Outcome:
    """Serve until the command ends, a signal comes, or a peer has no more use for it.

    Raises TreadleError.
    """
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("treadle: %(message)s"))
    log = logging.getLogger("treadle_peer.chaincode.bridge")
    log.addHandler(handler)
    try:
        return await _Session(wanted).run()
    except ListenError as error:
        raise TreadleError(str(error)) from None
    finally:
        log.removeHandler(handler)


@dataclass(slots=True)
class _Session:
    """One run. ``_signal`` is what has ended it, 0 without one."""

    wanted: Connection
    _signal: int = 0
    _signalled: asyncio.Event = field(default_factory=asyncio.Event)
    _command: Supervised | None = None

    async def run(self) -> Outcome:
        doors = Doors(
            take=self.wanted.take, on_registered=self._registered, on_waiting=self._waiting
        )
        async with AsyncExitStack() as stack:
            foreground = Foreground()
            stack.enter_context(foreground.hearing())
            stack.enter_context(self._signals())
            code = await self._serve(doors, foreground, stack)
        return Outcome(code, doors.refusal)

    async def _serve(self, doors: Doors, foreground: Foreground, stack: AsyncExitStack) -> int:
        """The exit code; a refusal, if any, is in *doors*."""
        bridge = Bridge(
            peers={end.name: doors.dial(end) for end in self.wanted.peers},
            on_transaction=self._finished if self.wanted.log_transactions else None,
            backoff=lambda: Backoff(longest=_LONGEST_SECONDS),
        )
        address = await self._address(bridge, stack)
        works = [asyncio.create_task(self._run(foreground, address))]
        if self.wanted.serves:
            server = serve_server(bridge, address, ccid=self.wanted.ccid, say=say)
            works.append(asyncio.create_task(server))
        works.append(asyncio.create_task(doors.over()))
        works.append(asyncio.create_task(self._stopped()))
        return await self._first(works, doors)

    async def _first(self, works: Sequence[asyncio.Task[int]], doors: Doors) -> int:
        """What the first that is over returns or raises; a peer's word goes before the rest."""
        try:
            await asyncio.wait(works, return_when=asyncio.FIRST_COMPLETED)
            if doors.refusal.sentence or self._signal:
                return 128 + self._signal if self._signal else 1
            return next(work for work in works if work.done()).result()
        finally:
            for work in works:
                work.cancel()
            await asyncio.gather(*works, return_exceptions=True)

    async def _address(self, bridge: Bridge, stack: AsyncExitStack) -> str:
        """What the chaincode dials, or where it listens."""
        if self.wanted.direct:
            return self.wanted.peers[0].address
        if self.wanted.serves:
            return self.wanted.server or f"127.0.0.1:{_free_port()}"
        dialled = dialled_by_chaincode(bridge, self.wanted.listen, ccid=self.wanted.ccid)
        return await stack.enter_async_context(dialled)

    async def _run(self, foreground: Foreground, address: str) -> int:
        """The command's exit code, as a shell would have it."""
        if not self.wanted.command:
            say(f"waiting for {self.wanted.ccid} at {address}")
            await asyncio.Event().wait()
        told = Told(
            ccid=self.wanted.ccid,
            address=address,
            msp_id=self.wanted.msp_id,
            language=self.wanted.language,
            serves=self.wanted.serves,
            files=self.wanted.files,
        )
        self._command = Supervised(
            foreground=foreground,
            command=arguments(self.wanted.command, told),
            environment=environment(told, os.environ),
            watch=self.wanted.watch,
            say=say,
        )
        code = await self._command.run()
        return code if code >= 0 else 128 - code

    @contextlib.contextmanager
    def _signals(self) -> Iterator[None]:
        loop = asyncio.get_running_loop()
        for number in _SIGNALS:
            loop.add_signal_handler(number, self._received, number)
        try:
            yield
        finally:
            for number in _SIGNALS:
                loop.remove_signal_handler(number)

    def _received(self, number: int) -> None:
        """The first signal goes on to the command; a second one ends it at once."""
        if self._signal and self._command is not None:
            self._command.kill()
        if not self._signal and self._command is not None:
            self._command.ending = number
        self._signal = self._signal or number
        self._signalled.set()

    async def _stopped(self) -> int:
        await self._signalled.wait()
        return 128 + self._signal

    def _registered(self, peer: str) -> None:
        say(f"{self.wanted.ccid} is served to {peer}")

    def _waiting(self, peer: str) -> None:
        say(f"{peer} does not know {self.wanted.ccid} yet, and lets it wait for its package")

    def _finished(self, record: TransactionRecord) -> None:
        say(transaction_line(record))


def say(text: str) -> None:
    """A line of ours between those of the command."""
    click.echo(f"treadle: {text}", err=True)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
