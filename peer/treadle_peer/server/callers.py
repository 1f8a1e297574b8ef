"""Who is at the other end of a chaincode stream, as far as the transport tells."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

import grpc.aio

from treadle_peer.chaincode import StreamPeer
from treadle_peer.server.tls import certificate_hash

WHO = "treadle-who"
"""Metadata of a Register stream: who runs this chaincode, ``user@host``."""
TAKE = "treadle-take"
"""Metadata of a Register stream: ``true`` takes a chaincode from who has replaced this one,
``false`` does not; see ``chaincode.replacing``."""
_LONGEST_WHO = 128

Context = grpc.aio.ServicerContext[Any, Any]


def caller_of(context: Context, origin: Callable[[str], str]) -> StreamPeer:
    """The other end; *origin* tells who is behind an address, for listeners behind a door."""
    remote = unquote(context.peer())
    kind, _, address = remote.partition(":")
    address = origin(address)
    certificates = context.auth_context().get("x509_pem_cert") or []
    pem = next(iter(certificates), None)
    who, takes = _told(context)
    return StreamPeer(
        remote=address or remote,
        fingerprint=None if pem is None else certificate_hash(pem).hex(),
        loopback=kind == "unix" or is_loopback(address.rpartition(":")[0].strip("[]")),
        who=who,
        takes=takes,
    )


def _told(context: Context) -> tuple[str, bool | None]:
    """What a developer's tool says of itself: fit for logs and statuses, and true or not."""
    told = dict(context.invocation_metadata() or ())
    who = str(told.get(WHO, ""))
    shown = "".join(one if one.isprintable() else "?" for one in who[:_LONGEST_WHO])
    return shown, {"true": True, "false": False}.get(str(told.get(TAKE, "")))


def is_loopback(host: str) -> bool:
    """Whether *host* is this machine."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host == "localhost"
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address).is_loopback
