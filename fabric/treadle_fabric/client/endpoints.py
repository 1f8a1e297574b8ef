"""Where a server is and how to trust it; no I/O happens here."""

from __future__ import annotations

import hashlib
import ipaddress
from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

MAX_MESSAGE_SIZE = 100 * 1024 * 1024

ChannelOption = tuple[str, int | str]


@dataclass(frozen=True, slots=True, kw_only=True)
class TLSOptions:
    """Trust for one connection. All fields hold PEM; client fields are empty without mutual TLS.

    ``server_name`` replaces the address's host when the server's certificate is checked.
    """

    root_certificates: bytes
    client_certificate: bytes = b""
    client_key: bytes = b""
    server_name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """One server: ``address`` is ``host:port``; ``tls`` is None for plaintext."""

    address: str
    tls: TLSOptions | None = None

    @property
    def host(self) -> str:
        """The address without its port and brackets."""
        return self.address.rpartition(":")[0].strip("[]") or self.address

    @property
    def port(self) -> int:
        """The address's port; raises ValueError when there is none."""
        return int(self.address.rpartition(":")[2])

    @property
    def server_name(self) -> str:
        """The name the server's certificate must carry."""
        return (self.tls.server_name if self.tls else "") or self.host

    @property
    def tls_cert_hash(self) -> bytes:
        """What binds a deliver request to this connection: SHA-256 of the client certificate.

        Empty without mutual TLS (fabric-wire.md §5.7).
        """
        if self.tls is None or not self.tls.client_certificate:
            return b""
        leaf = x509.load_pem_x509_certificates(self.tls.client_certificate)[0]
        return hashlib.sha256(leaf.public_bytes(Encoding.DER)).digest()


def parse_address(text: str) -> str:
    """``host:port`` of an address or of a connection profile's ``grpc(s)://host:port``."""
    return text.partition("://")[2] or text


def channel_options(endpoint: Endpoint) -> list[ChannelOption]:
    """The gRPC settings every Fabric client uses (fabric-wire.md §0), and quick reconnects: a peer
    whose pod was replaced has another address, and gRPC would not ask for it for half a minute.
    """
    options: list[ChannelOption] = [
        ("grpc.max_receive_message_length", MAX_MESSAGE_SIZE),
        ("grpc.max_send_message_length", MAX_MESSAGE_SIZE),
        ("grpc.keepalive_time_ms", 60_000),
        ("grpc.keepalive_timeout_ms", 20_000),
        ("grpc.keepalive_permit_without_calls", 1),
        ("grpc.initial_reconnect_backoff_ms", 100),
        ("grpc.max_reconnect_backoff_ms", 2_000),
        ("grpc.dns_min_time_between_resolutions_ms", 1_000),
    ]
    if endpoint.tls is not None and endpoint.tls.server_name:
        options.append(("grpc.ssl_target_name_override", endpoint.tls.server_name))
    if _is_loopback(endpoint.host):
        # A proxy in the environment is never meant for this machine itself.
        options.append(("grpc.enable_http_proxy", 0))
    return options


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
