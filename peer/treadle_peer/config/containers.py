"""Settings of the launcher ``docker``: Fabric's keys where they mean the same, else our own.

Fabric's other ``vm.docker.hostConfig`` keys either raise a container's rights, which nothing here
does, or are replaced (logs are the peer's own files).
"""

from __future__ import annotations

import ipaddress
import platform
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from treadle_peer.config.endpoint import is_unspecified, split_address
from treadle_peer.config.errors import ConfigurationError
from treadle_peer.config.settings import Settings

LANGUAGES: Final = ("golang", "node", "java", "python")

_GIBIBYTE: Final = 1024 * 1024 * 1024
_MOST_MEMORY: Final = 1 << 50
_ENDPOINT: Final = "vm.endpoint"
_HOST: Final = "vm.docker.hostConfig"
_NETWORK: Final = f"{_HOST}.NetworkMode"
_OWN: Final = "treadle.chaincode.docker"
_SCHEMES: Final = ("unix://", "tcp://", "http://", "https://")

# Which of Fabric's keys name an image that can do the same: its image for Go only builds, those
# for Node and Java also run.
_FABRIC_BUILDERS: Final = {
    "golang": "chaincode.builder",
    "node": "chaincode.node.runtime",
    "java": "chaincode.java.runtime",
}
_FABRIC_RUNTIMES: Final = {
    "golang": "chaincode.golang.runtime",
    "node": "chaincode.node.runtime",
    "java": "chaincode.java.runtime",
}
_FABRIC_VERSION: Final = "2.5.9"


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineFiles:
    """PEM files for an engine that speaks TLS: its authority, our certificate and key."""

    authority: Path
    certificate: Path
    key: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainersConfig:
    """How containers are made. Sizes are bytes; 0 and empty: the engine's own default.

    ``builders`` and ``runtimes`` hold image names by language. The host's network is Fabric's
    default; on any other one, chaincode servers are dialled at their container's address.
    """

    endpoint: str = "unix:///var/run/docker.sock"
    tls: EngineFiles | None = None
    builders: Mapping[str, str]
    runtimes: Mapping[str, str]
    network: str = "host"
    memory_bytes: int = 2 * _GIBIBYTE
    processes: int = 1024
    """How many processes and threads one container may have."""
    cpu_shares: int = 0
    cpu_quota: int = 0
    cpu_period: int = 0
    cgroup_parent: str = ""
    name_servers: tuple[str, ...] = ()
    search_domains: tuple[str, ...] = ()
    extra_hosts: tuple[str, ...] = ()
    most_output_bytes: int = _GIBIBYTE
    """The largest output of a build."""


def load_containers(
    settings: Settings, *, tls: bool, listen: str, told: str | None
) -> ContainersConfig:
    """The settings of the launcher ``docker``; raises ConfigurationError.

    *tls* is the chaincode port's; *listen* is where launched chaincode is listened for, *told*
    what it is told to dial instead.
    """
    if not tls:
        raise settings.wrong(
            "treadle.chaincode.tls", "write true: what runs in containers needs TLS"
        )
    network, endpoint = _network(settings), _endpoint(settings)
    if _is_remote(endpoint):
        where = f"containers of the engine {endpoint} are on another machine and"
        remedy = "name an address by which that machine reaches this peer"
        _check_reachable(where, remedy, listen=listen, told=told)
    elif network != "host":
        where = f"containers of the network {network}"
        remedy = (
            "name an address of this machine in that network (for bridge mostly 172.17.0.1:0), "
            f"or write host in {_NETWORK}"
        )
        _check_reachable(where, remedy, listen=listen, told=told)
    memory = f"{_HOST}.Memory"
    return ContainersConfig(
        endpoint=endpoint,
        tls=_tls(settings),
        builders=_images(settings, "builder", _FABRIC_BUILDERS),
        runtimes=_images(settings, "runtime", _FABRIC_RUNTIMES),
        network=network,
        memory_bytes=settings.number(memory, 2 * _GIBIBYTE, maximum=_MOST_MEMORY),
        processes=settings.number(f"{_OWN}.pidsLimit", 1024),
        cpu_shares=settings.number(f"{_HOST}.CpuShares", 0),
        cpu_quota=settings.number(f"{_HOST}.CpuQuota", 0),
        cpu_period=settings.number(f"{_HOST}.CpuPeriod", 0),
        cgroup_parent=settings.text(f"{_HOST}.CgroupParent", ""),
        name_servers=settings.texts(f"{_HOST}.Dns"),
        search_domains=settings.texts(f"{_HOST}.DnsSearch"),
        extra_hosts=settings.texts(f"{_HOST}.ExtraHosts"),
        most_output_bytes=settings.number(
            f"{_OWN}.maxOutputBytes", _GIBIBYTE, minimum=1, maximum=_MOST_MEMORY
        ),
    )


def _check_reachable(where: str, remedy: str, *, listen: str, told: str | None) -> None:
    host = split_address(told or listen)[0]
    if not _is_loopback(host) and not is_unspecified(host):
        return
    key = f"treadle.chaincode.launched{'Listen' if told is None else ''}Address"
    raise ConfigurationError(
        key,
        told or listen,
        f"{where} do not reach it: {remedy}",
    )


def _endpoint(settings: Settings) -> str:
    endpoint = settings.text(_ENDPOINT, "unix:///var/run/docker.sock")
    try:
        urlsplit(endpoint)
    except ValueError:
        endpoint = ""
    if not endpoint.startswith(_SCHEMES):
        raise settings.wrong(_ENDPOINT, "write for example unix:///var/run/docker.sock")
    return endpoint


def _is_remote(endpoint: str) -> bool:
    """Whether the engine is on another machine, as far as its address tells."""
    host = urlsplit(endpoint).hostname
    return host is not None and not _is_loopback(host)


def _network(settings: Settings) -> str:
    network = settings.text(_NETWORK, "host") or "host"
    if network == "none":
        raise settings.wrong(_NETWORK, "chaincode must reach its peer; write host or bridge")
    return network


def _images(settings: Settings, kind: str, fabric: Mapping[str, str]) -> dict[str, str]:
    """The image of each language: our key, else Fabric's, else the one that ``make images`` has."""
    found = {}
    for language in LANGUAGES:
        own = settings.text(f"{_OWN}.{kind}s.{language}", "")
        theirs = settings.text(fabric[language], "") if language in fabric else ""
        default = f"treadle/{kind}-{language}:{version('treadle')}"
        found[language] = own or _filled(theirs) or default
    return found


def _filled(image: str) -> str:
    """Fabric's image names with what its placeholders stand for."""
    machine = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
    placeholders = {
        "$(DOCKER_NS)": "hyperledger",
        "$(TWO_DIGIT_VERSION)": _FABRIC_VERSION.rpartition(".")[0],
        "$(PROJECT_VERSION)": _FABRIC_VERSION,
        "$(ARCH)": machine,
    }
    for placeholder, value in placeholders.items():
        image = image.replace(placeholder, value)
    return image


def _tls(settings: Settings) -> EngineFiles | None:
    section = "vm.docker.tls"
    if not settings.flag(f"{section}.enabled", False):
        return None
    found: dict[str, Path] = {}
    for part in ("ca", "cert", "key"):
        key = f"{section}.{part}.file"
        file = settings.path(key)
        if file is None:
            raise ConfigurationError(key, "", "TLS is enabled; name a PEM file")
        if not file.is_file():
            raise settings.wrong(key, "there is no such file")
        found[part] = file
    return EngineFiles(authority=found["ca"], certificate=found["cert"], key=found["key"])


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
