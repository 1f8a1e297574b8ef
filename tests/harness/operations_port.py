"""Requests to the operations port of a peer process."""

from __future__ import annotations

import ssl
import urllib.error
import urllib.request

from harness.peers import PeerProcess


def get(peer: PeerProcess, path: str) -> tuple[int, str]:
    """The status and the text of a GET without TLS."""
    return request(urllib.request.Request(f"http://{peer.addresses['operations']}{path}"))


def request(
    message: urllib.request.Request, context: ssl.SSLContext | None = None
) -> tuple[int, str]:
    """The status and the text of any request; an error status raises nothing."""
    try:
        with urllib.request.urlopen(message, timeout=10, context=context) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()
