"""Addresses: splitting them, and which one a launched chaincode is told (fabric-wire.md §2.4)."""

from __future__ import annotations

import ipaddress


class EndpointError(ValueError):
    """No address that a chaincode could connect to follows from the configuration."""


def split_address(address: str) -> tuple[str, int]:
    """Host without brackets, and port, of ``host:port``; ValueError when it is none."""
    host, _, port = address.rpartition(":")
    return host.strip("[]"), int(port)


def join_address(host: str, port: int) -> str:
    """``host:port``, with brackets around IPv6."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def is_unspecified(host: str) -> bool:
    """Whether *host* stands for every interface (``0.0.0.0``, ``::``, empty)."""
    if not host:
        return True
    try:
        return ipaddress.ip_address(host).is_unspecified
    except ValueError:
        return False


def chaincode_endpoint(
    *, chaincode_address: str | None, bound: str, peer_host: str, development: bool
) -> str:
    """The address given to chaincode: *bound* is 7052's real listen address.

    Raises EndpointError in production when only an unspecified host is known; development falls
    back to ``0.0.0.0:<port>`` as Fabric does.
    """
    listen_host, port = split_address(bound)
    candidate = chaincode_address or bound
    if chaincode_address is None and is_unspecified(listen_host):
        candidate = join_address(peer_host, port)
    host, _ = split_address(candidate)
    if not is_unspecified(host):
        return candidate
    if development:
        return f"0.0.0.0:{port}"
    raise EndpointError("invalid endpoint for chaincode to connect")
