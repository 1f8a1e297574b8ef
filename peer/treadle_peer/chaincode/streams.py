"""What the chaincode subsystem asks of a transport: two ends that carry ChaincodeMessages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from fabric_protos.peer.chaincode_shim_pb2 import ChaincodeMessage

MAX_MESSAGE_BYTES = 100 * 1024 * 1024
"""Largest message in either direction (fabric-wire.md §0)."""


class ChaincodeStream(Protocol):
    """One bidirectional stream. At most one ``receive`` and one ``send`` run at a time.

    Both raise StreamEnded (usually StreamLost) when the transport fails.
    """

    async def receive(self) -> ChaincodeMessage | None:
        """The next message, or ``None`` when the other end has closed its side."""

    async def send(self, message: ChaincodeMessage) -> None:
        """Hand *message* to the transport; waits while the other end does not read."""


class ClosableStream(ChaincodeStream, Protocol):
    """A stream that this side dialled and therefore closes."""

    async def close(self) -> None:
        """Give the stream up. Idempotent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamPeer:
    """Who is at the other end.

    ``fingerprint`` is the lower-case hex SHA-256 of the DER client certificate, ``None``
    without mutual TLS. ``loopback`` is true for 127.0.0.0/8, ::1 and Unix sockets.
    ``who`` is what a developer's tool says of itself (``user@host``), empty for all others;
    ``takes``: whether it wants what another one took from it, ``None`` when it does not say.
    """

    remote: str
    fingerprint: str | None
    loopback: bool
    who: str = ""
    takes: bool | None = None

    @property
    def name(self) -> str:
        """What others call it."""
        return self.who or self.remote
