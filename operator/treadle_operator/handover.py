"""Reading a packed source from the pod of a fetch Job."""

from __future__ import annotations

import ssl
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import aiohttp

from treadle_operator.errors import HandoverFailed

NAME: Final = "handover"
"""The name in the certificate; pods have no name of their own."""
MOST_BYTES: Final = 100 * 1024 * 1024
_SECONDS: Final = aiohttp.ClientTimeout(total=60, connect=5)


async def receive(address: str, certificate: Mapping[str, bytes]) -> bytes:
    """The bytes that *address* (host:port) serves; *certificate* is what both sides show.

    Raises HandoverFailed.
    """
    try:
        async with (
            aiohttp.ClientSession(timeout=_SECONDS) as session,
            session.get(
                f"https://{address}/package",
                ssl=_context(certificate),
                server_hostname=NAME,
                allow_redirects=False,
            ) as answer,
        ):
            answer.raise_for_status()
            if answer.content_length is None or answer.content_length > MOST_BYTES:
                raise HandoverFailed(f"{address} does not promise at most {MOST_BYTES} bytes")
            return await answer.read()
    except (OSError, TimeoutError, aiohttp.ClientError) as error:
        raise HandoverFailed(f"{address} does not hand the package over: {error!r}") from error


def _context(certificate: Mapping[str, bytes]) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cadata=certificate["ca.crt"].decode())
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        # The standard library reads a private key from a file only.
        with tempfile.TemporaryDirectory(prefix="treadle-") as scratch:
            pair = Path(scratch, "pair.pem")
            pair.write_bytes(certificate["tls.key"] + b"\n" + certificate["tls.crt"])
            context.load_cert_chain(pair)
    except (KeyError, ValueError, ssl.SSLError) as error:
        raise HandoverFailed(f"the Job's Secret holds no usable certificate: {error}") from error
    return context
