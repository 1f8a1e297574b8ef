"""Which process holds the other end of a loopback connection (design §4, TLS forced off).

The kernel's tables name the inode of every socket, and /proc/<pid>/fd the sockets that a process
holds: together they tell whether a caller is what the peer launched.
"""

from __future__ import annotations

import contextlib
import ipaddress
import os
import struct
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import unquote

_TABLES: Final = (Path("/proc/net/tcp"), Path("/proc/net/tcp6"))
_LISTEN: Final = 0x0A

IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One end of a connection; IPv4 in IPv6 clothes is IPv4 here."""

    address: IPAddress
    port: int


@dataclass(frozen=True, slots=True)
class Socket:
    """One row of the kernel's table, seen from the side that holds it."""

    local: Endpoint
    remote: Endpoint
    state: int
    inode: int


def parse_remote(text: str) -> Endpoint | None:
    """The endpoint in gRPC's words (``ipv4:127.0.0.1:5``, ``ipv6:%5B::1%5D:5``) or plain.

    None for anything else, such as a Unix socket.
    """
    plain = unquote(text)
    for scheme in ("ipv4:", "ipv6:"):
        plain = plain.removeprefix(scheme)
    host, colon, port = plain.rpartition(":")
    if not colon or not port.isdigit():
        return None
    try:
        address = ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return None
    return Endpoint(_unmapped(address), int(port))


def parse_table(text: str) -> list[Socket]:
    """Read /proc/net/tcp or /proc/net/tcp6."""
    rows = []
    for line in text.splitlines()[1:]:
        fields = line.split()
        if len(fields) > 9:
            rows.append(
                Socket(
                    local=_endpoint(fields[1]),
                    remote=_endpoint(fields[2]),
                    state=int(fields[3], 16),
                    inode=int(fields[9]),
                )
            )
    return rows


def all_sockets() -> list[Socket]:
    """Every TCP socket of this network namespace."""
    rows: list[Socket] = []
    for table in _TABLES:
        with contextlib.suppress(OSError):
            rows += parse_table(table.read_text())
    return rows


def connecting_inodes(rows: Iterable[Socket], *, caller: Endpoint, port: int) -> set[int]:
    """The sockets at the caller's end of its connections to our *port*.

    Inode 0 belongs to nobody: the caller has closed its socket already.
    """
    return {row.inode for row in rows if row.local == caller and row.remote.port == port}


def listening_inodes(rows: Iterable[Socket], *, port: int) -> set[int]:
    """The sockets that accept connections on *port*, whatever address."""
    return {row.inode for row in rows if row.state == _LISTEN and row.local.port == port}


def held_inodes(pids: Iterable[int]) -> set[int]:
    """The sockets that these processes hold."""
    found: set[int] = set()
    for pid in pids:
        folder = f"/proc/{pid}/fd"
        with contextlib.suppress(OSError):
            for name in os.listdir(folder):
                found |= _socket_inode(f"{folder}/{name}")
    return found


def _socket_inode(path: str) -> set[int]:
    with contextlib.suppress(OSError):
        target = os.readlink(path)
        if target.startswith("socket:["):
            return {int(target[8:-1])}
    return set()


def _endpoint(text: str) -> Endpoint:
    address, _, port = text.partition(":")
    # The kernel prints each 32-bit word of the address in the machine's byte order.
    words = [int(address[i : i + 8], 16) for i in range(0, len(address), 8)]
    packed = b"".join(struct.pack("=I", word) for word in words)
    return Endpoint(_unmapped(ipaddress.ip_address(packed)), int(port, 16))


def _unmapped(address: IPAddress) -> IPAddress:
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address
