"""The active registry of a peer, from ``/runtimes`` of its operations listener."""

from __future__ import annotations

import json
import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import aiohttp

from treadle_cli.errors import TreadleError
from treadle_cli.tables import age, table

Row = Mapping[str, object]

_SECONDS = 5.0
_HEAD = ("CCID", "STATE", "OWNER", "AGE", "TX", "ERRORS", "RESTARTS", "REMOTE", "LAST ERROR")


@dataclass(frozen=True, slots=True, kw_only=True)
class OperationsEndpoint:
    """Where the operations listener is; the files are PEM, ``root`` None means plain HTTP."""

    address: str
    root: Path | None = None
    certificate: Path | None = None
    key: Path | None = None

    @property
    def url(self) -> str:
        """The address of the registry."""
        return f"{'https' if self.root else 'http'}://{self.address}/runtimes"


async def fetch_runtimes(endpoint: OperationsEndpoint) -> list[Row]:
    """The registry's rows; raises TreadleError when the peer cannot be asked."""
    timeout = aiohttp.ClientTimeout(total=_SECONDS)
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout) as session,
            session.get(endpoint.url, ssl=_context(endpoint)) as response,
        ):
            response.raise_for_status()
            answer = json.loads(await response.text())
        return [dict(row) for row in answer["runtimes"]]
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        reason = str(error) or "no answer"
        raise TreadleError(
            f"no peer answers at {endpoint.url} ({reason}); is it running? "
            "Name another one with --operations host:port"
        ) from None
    except (ValueError, KeyError, TypeError) as error:
        raise TreadleError(f"{endpoint.url} is no Treadle peer: {error}") from None


def runtimes_table(rows: Sequence[Row], *, now: datetime | None = None) -> str:
    """The registry for people."""
    if not rows:
        return "no chaincode process is known to this peer"
    moment = now or datetime.now(UTC)
    return table(_HEAD, [_cells(row, moment) for row in rows])


def _cells(row: Row, now: datetime) -> list[str]:
    text = {name: str(value) for name, value in row.items()}
    return [
        text.get("ccid", ""),
        text.get("state", ""),
        text.get("owner", ""),
        _age(text.get("since", ""), now),
        text.get("transactions", "0"),
        text.get("errors", "0"),
        text.get("restarts", "0"),
        text.get("remote", "") or "-",
        _first_line(text.get("last_error", "")) or "-",
    ]


def _age(since: str, now: datetime) -> str:
    try:
        return age((now - datetime.fromisoformat(since)).total_seconds())
    except (ValueError, TypeError):
        return "-"


def _first_line(text: str) -> str:
    """The first line, without the words that announce those left out."""
    first = next(iter(text.splitlines()), "")
    return first.removesuffix("; the last lines of its log:").removesuffix(":")


def _context(endpoint: OperationsEndpoint) -> ssl.SSLContext | bool:
    if endpoint.root is None:
        return True
    context = ssl.create_default_context(cafile=endpoint.root)
    if endpoint.certificate is not None and endpoint.key is not None:
        context.load_cert_chain(endpoint.certificate, endpoint.key)
    return context
