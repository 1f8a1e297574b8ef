"""One gRPC port: options, credentials, binding, and a stop that does not wait for idle streams."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass

import grpc
import grpc.aio
from google.protobuf.message import DecodeError

from treadle_peer.config import KeepaliveConfig, join_address, split_address
from treadle_peer.server.guard import StreamSet
from treadle_peer.server.tls import TLSMaterial, grpc_credentials

_GRPC_LOGGER = "grpc._cython.cygrpc"
_HANDSHAKE_MILLISECONDS = 5_000
"""Until TLS and HTTP/2 have shaken hands: Fabric's DefaultConnectionTimeout; gRPC's is 120 s."""


class ListenError(Exception):
    """A port cannot be bound; one line that names address and setting."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListenerOptions:
    """Where and how to listen. ``setting`` is the configuration key, for error messages;
    ``max_streams`` bounds the calls of one connection, 0 does not. ``small_windows``: what is
    not read yet stays with the sender; else gRPC takes in megabytes when it comes fast."""

    address: str
    setting: str
    tls: TLSMaterial | None
    keepalive: KeepaliveConfig
    max_receive_bytes: int = 104857600
    max_send_bytes: int = 104857600
    max_streams: int = 0
    small_windows: bool = False


class GrpcListener:
    """A server on one port. ``streams`` ends the long-lived calls when it stops."""

    def __init__(self, options: ListenerOptions) -> None:
        self._options = options
        logging.getLogger(_GRPC_LOGGER).addFilter(_is_ours)
        self._server = grpc.aio.server(options=_channel_options(options))
        self.streams = StreamSet()
        self._bound: str | None = None

    def add(self, handlers: Sequence[grpc.GenericRpcHandler]) -> None:
        """Serve *handlers*; before ``start``."""
        self._server.add_generic_rpc_handlers(tuple(handlers))

    def bind(self) -> str:
        """Take the port and return the real address; raises ListenError."""
        host, port = split_address(self._options.address)
        target = join_address(host or "0.0.0.0", port)
        try:
            if self._options.tls is None:
                bound = self._server.add_insecure_port(target)
            else:
                credentials = grpc_credentials(self._options.tls)
                bound = self._server.add_secure_port(target, credentials)
        except RuntimeError as error:
            raise ListenError(
                f"cannot listen on {target}: the port is taken or the address is not ours; "
                f"change {self._options.setting}"
            ) from error
        self._bound = join_address(host or "0.0.0.0", bound)
        return self._bound

    @property
    def address(self) -> str:
        """The bound address; raises ListenError before ``bind``."""
        if self._bound is None:
            raise ListenError(f"{self._options.setting} is not bound yet")
        return self._bound

    async def start(self) -> None:
        """Accept calls."""
        await self._server.start()

    async def stop(self, grace: float) -> None:
        """Refuse new calls, end streams, give the rest *grace* seconds."""
        self.streams.end()
        await self._server.stop(grace)


def _is_ours(record: logging.LogRecord) -> bool:
    """Drop grpc's tracebacks for what clients do: bytes that are no message (they get the error),
    and going away while something is written to them."""
    error = record.exc_info[1] if record.exc_info else None
    return not isinstance(error, DecodeError | grpc.aio.InternalError)


def _channel_options(options: ListenerOptions) -> list[tuple[str, int]]:
    """Fabric's limits, and pings as its clients send them (fabric-wire.md §8, traps 1 and 2)."""
    keepalive = options.keepalive
    # Half of Fabric's minimum: a client that pings exactly on time must not look early.
    interval = int(keepalive.minimum_interval * 500)
    streams = [("grpc.max_concurrent_streams", options.max_streams)] if options.max_streams else []
    windows = [("grpc.http2.bdp_probe", 0)] if options.small_windows else []
    return [
        *streams,
        *windows,
        ("grpc.max_receive_message_length", options.max_receive_bytes),
        ("grpc.max_send_message_length", options.max_send_bytes),
        ("grpc.http2.max_ping_strikes", 0),
        ("grpc.http2.min_ping_interval_without_data_ms", min(interval, 10_000)),
        ("grpc.keepalive_permit_without_calls", 1),
        ("grpc.keepalive_time_ms", int(keepalive.interval * 1000)),
        ("grpc.keepalive_timeout_ms", int(keepalive.timeout * 1000)),
        # Two peers must not share a port without noticing.
        ("grpc.so_reuseport", 0),
        ("grpc.server_handshake_timeout_ms", _HANDSHAKE_MILLISECONDS),
    ]
