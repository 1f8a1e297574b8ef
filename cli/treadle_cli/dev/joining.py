"""From what the developer wishes and where the peers are to a connection, again if taken back."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Protocol

import click

from treadle_cli.dev.connecting import Connection, Outcome, connect, say
from treadle_cli.dev.peers import PeerEnd
from treadle_cli.dev.starting import DirectFiles, language_of
from treadle_cli.errors import TreadleError

REPLACED: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What the developer wants to run; ``language`` may be empty, see Connection for the rest."""

    command: Sequence[str]
    language: str
    watch: Sequence[Path]
    server: str
    listen: str
    direct: bool
    take: bool
    log_transactions: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """A chaincode at its peers. ``language`` is empty where nobody but the command knows it.

    ``files`` are there when the shim is to dial a peer with TLS itself.
    """

    ccid: str
    msp_id: str
    peers: Sequence[PeerEnd]
    language: str = ""
    files: DirectFiles | None = None


class Place(Protocol):
    """Where the peers are: on this machine, or in a cluster."""

    def opened(self, *, direct: bool) -> AbstractAsyncContextManager[Served]:
        """The way to them, as long as the context lasts; raises TreadleError."""


def serve(place: Place, wish: Wish) -> int:
    """Run it to its end; the exit code. Raises TreadleError."""
    if not wish.command and not wish.server and not wish.listen:
        raise TreadleError(
            "give the command that starts the chaincode, after --, or --server, or --listen"
        )
    while True:
        outcome = asyncio.run(_once(place, wish))
        refusal = outcome.refusal
        if not refusal.sentence:
            return outcome.code
        if not refusal.somebody_else:
            raise TreadleError(f"{refusal.peer} refused the chaincode: {refusal.sentence}")
        say(f"{refusal.peer}: {refusal.sentence}")
        if not _wants_it_back():
            return REPLACED
        wish = replace(wish, take=True)


def _wants_it_back() -> bool:
    if sys.stdin.isatty() and sys.stderr.isatty():
        return click.confirm("treadle: take it back?", err=True)
    say("the same command with --take takes it back")
    return False


async def _once(place: Place, wish: Wish) -> Outcome:
    async with place.opened(direct=wish.direct) as served:
        language = wish.language or served.language or language_of(wish.command)
        return await connect(_connection(served, wish, language))


def _connection(served: Served, wish: Wish, language: str) -> Connection:
    wanted = Connection(
        ccid=served.ccid,
        msp_id=served.msp_id,
        peers=served.peers,
        language=language,
        command=wish.command,
        watch=wish.watch,
        server=wish.server,
        listen=wish.listen,
        direct=wish.direct,
        files=served.files,
        take=wish.take,
        log_transactions=wish.log_transactions,
    )
    if wish.direct and wanted.serves:
        raise TreadleError("a chaincode that listens cannot dial the peer: leave out --direct")
    if wish.direct and len(wanted.peers) > 1:
        names = ", ".join(end.name for end in wanted.peers)
        raise TreadleError(f"--direct leads to one peer: add --peer with one of {names}")
    return wanted
