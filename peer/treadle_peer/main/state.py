"""The bound addresses of a running peer, in memory and in ``run/addresses.json``."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

from treadle_fabric.identity.files import write_public


@dataclass(frozen=True, slots=True, kw_only=True)
class Addresses:
    """``host:port`` by which clients on this machine reach each listener."""

    peer: str
    chaincode: str
    ordering: str
    operations: str
    runtime: str | None = None


def write_addresses(file: Path, addresses: Addresses) -> None:
    """Say that the peer is ready and where; whole or not at all."""
    content = {**asdict(addresses), "pid": os.getpid()}
    write_public(file, json.dumps(content, indent=2).encode() + b"\n")
