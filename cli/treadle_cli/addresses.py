"""Addresses and chaincode names on the command line, refused before anything is tried."""

from __future__ import annotations

import ipaddress

import click
from treadle_peer.config import join_address, split_address

_MAX_PORT = 65535


class Address(click.ParamType[str]):
    """``host:port`` (IPv6 in brackets) to dial; *listening* wants loopback and allows port 0."""

    name = "host:port"

    def __init__(self, *, listening: bool = False) -> None:
        self._listening = listening

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> str:
        """The address as it was given."""
        address = str(value)
        host, port = self._split(address) or self.fail(
            f"want host:port, got {address!r}", param, ctx
        )
        if port > _MAX_PORT or (port == 0 and not self._listening):
            self.fail(f"there is no port {port}", param, ctx)
        if self._listening and not _is_loopback(host):
            self.fail(
                f"{host} is open to others, and this port has no TLS; listen on 127.0.0.1",
                param,
                ctx,
            )
        return address

    @staticmethod
    def _split(address: str) -> tuple[str, int] | None:
        """Host and port; None when *address* is no ``host:port``."""
        try:
            host, port = split_address(address)
        except ValueError:
            return None
        sound = host and port >= 0 and join_address(host, port) == address
        return (host, port) if sound else None


class ChaincodeId(click.ParamType[str]):
    """``name:version``, by Fabric's rules."""

    name = "name:version"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> str:
        """The name as it was given."""
        from treadle_cli.names import ccid_problem

        problem = ccid_problem(str(value))
        if problem is not None:
            self.fail(problem, param, ctx)
        return str(value)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
