"""A bridge that pods of process nodes hang on, with addresses that the host reaches, too."""

from __future__ import annotations

import ipaddress
import os
import random
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Self

COMMANDS = ("ip", "unshare", "nsenter", "setpriv", "chroot", "mount")


def unable() -> str | None:
    """Why pods cannot run as processes of this machine; None where they can."""
    if os.geteuid() != 0:
        return "needs root: pods run in network and mount namespaces of their own"
    for command in COMMANDS:
        if shutil.which(command) is None:
            return f"{command} is not installed; pods run in namespaces that it makes"
    spaces = ["unshare", "--net", "--mount", "--pid", "--uts", "--fork"]
    command_inside = [*spaces, "ip", "link", "set", "lo", "up"]
    tried = subprocess.run(command_inside, capture_output=True, text=True, check=False)
    return None if tried.returncode == 0 else f"namespaces are refused: {tried.stderr.strip()}"


def run(*command: str, stdin: str = "") -> str:
    """What it prints; AssertionError with its error when it fails."""
    done = subprocess.run(command, input=stdin, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{' '.join(command)}: {done.stderr}"
    return done.stdout


def ip(lines: Sequence[str], *, inside: int | None = None) -> None:
    """Commands of ip(8), in the network namespace of process *inside*."""
    prefix = [] if inside is None else ["nsenter", f"--target={inside}", "--net"]
    run(*prefix, "ip", "-batch", "-", stdin="\n".join(lines) + "\n")


@dataclass(slots=True)
class Bridge:
    """A context manager; ``host`` is the host's own address, others are given out in order."""

    name: str = ""
    network: ipaddress.IPv4Network = field(
        default_factory=lambda: ipaddress.IPv4Network("0.0.0.0/32")
    )
    _numbers: count[int] = field(default_factory=lambda: count(2))

    @property
    def host(self) -> str:
        return str(self.network.network_address + 1)

    def __enter__(self) -> Self:
        self.network = _free_network()
        self.name = f"tn{self.network.network_address.packed.hex()}"
        length = self.network.prefixlen
        ip([
            f"link add {self.name} type bridge",
            f"addr add {self.host}/{length} dev {self.name}",
            f"link set {self.name} up",
        ])  # fmt: skip
        return self

    def __exit__(self, *_: object) -> None:
        ip([f"link del {self.name}"])

    def join(self, pid: int) -> str:
        """Give the network namespace of process *pid* an address; it goes with the namespace."""
        number = next(self._numbers)
        address = str(self.network.network_address + number)
        link = f"{self.name}-{number:x}"
        ip([
            f"link add {link} type veth peer name eth0 netns {pid}",
            f"link set {link} master {self.name} up",
        ])  # fmt: skip
        ip([
            "link set lo up",
            f"addr add {address}/{self.network.prefixlen} dev eth0",
            "link set eth0 up",
            f"route add default via {self.host}",
        ], inside=pid)  # fmt: skip
        return address


def _free_network() -> ipaddress.IPv4Network:
    """A /20 that no route of this machine leads to; other runs may go on beside this one."""
    routes = run("ip", "-4", "route", "show", "table", "all")
    for _ in range(100):
        second, third = random.randrange(200, 250), 16 * random.randrange(16)
        if f"10.{second}." not in routes:
            return ipaddress.IPv4Network(f"10.{second}.{third}.0/20")
    raise OSError("no free network below 10.200.0.0")
