"""What the launcher ``docker`` is told once, at the peer's start."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

GIBIBYTE: Final = 1024 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineFiles:
    """PEM files for an engine that speaks TLS: its authority, our certificate and key."""

    authority: Path
    certificate: Path
    key: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerSettings:
    """How containers are made. Sizes are bytes; 0 and empty: the engine's own default.

    ``builders`` and ``runtimes`` hold image names by language. The host network is Fabric's
    default; on any other one, chaincode servers are dialled at their container's address.
    """

    endpoint: str = "unix:///var/run/docker.sock"
    tls: EngineFiles | None = None
    builders: Mapping[str, str]
    runtimes: Mapping[str, str]
    network: str = "host"
    memory_bytes: int = 2 * GIBIBYTE
    processes: int = 1024
    """How many processes and threads one container may have."""
    cpu_shares: int = 0
    cpu_quota: int = 0
    cpu_period: int = 0
    cgroup_parent: str = ""
    name_servers: tuple[str, ...] = ()
    search_domains: tuple[str, ...] = ()
    extra_hosts: tuple[str, ...] = ()
    most_output_bytes: int = GIBIBYTE
    """The largest output of a build."""
