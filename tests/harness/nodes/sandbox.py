"""A pod's namespaces, and a container's root in them.

A sandbox is a process that does nothing but hold a network and a pid namespace. It ends with the
test process, however that ends, and takes all of its pod's processes along.
"""

from __future__ import annotations

import shlex
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness.nodes.images import SYSTEM, Image

_DEVICES = ("null", "zero", "full", "random", "urandom", "tty")


class Sandbox:
    """``pid`` is that of its first process, as the host counts."""

    def __init__(self) -> None:
        command = ["unshare", "--net", "--pid", "--fork", "--kill-child"]
        self._process = subprocess.Popen(
            [*command, "sh", "-c", "echo; read -r _"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
        )
        assert self._process.stdout is not None
        self._process.stdout.readline()
        (self.pid,) = children(self._process.pid)

    def close(self) -> None:
        """End everything in it."""
        self._process.kill()
        self._process.communicate()


def children(pid: int) -> list[int]:
    """The processes that *pid* has started; none when it is gone."""
    try:
        text = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return []
    return [int(each) for each in text.split()]


@dataclass(frozen=True, slots=True, kw_only=True)
class Mount:
    """A folder or file of the host at a place of the container."""

    source: Path
    target: str
    read_only: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """Everything that one container's process finds."""

    image: Image
    hostname: str
    mounts: Sequence[Mount]
    environment: Mapping[str, str]
    command: Sequence[str]
    folder: str = "/"
    security: Mapping[str, Any] = field(default_factory=dict)

    def script(self, root: Path) -> str:
        """For a shell in namespaces of its own: build the root below *root* and go there.

        It writes a line to its standard *input*, a pipe, when it is about to become the command.
        """
        lines = ["set -e", f"hostname {shlex.quote(self.hostname)}"]
        lines += [f"mount -t tmpfs -o mode=755 root {root}", f"cd {root}"]
        lines += list(self._system())
        for place, source in self.image.folders.items():
            lines += _bind(Mount(source=source, target=place, read_only=True))
        for place, source in self.image.caches.items():
            lines += _bind(Mount(source=source, target=place))
        lines += ["mkdir -p tmp", "chmod 1777 tmp"]
        for mount in sorted(self.mounts, key=lambda each: each.target):
            lines += _bind(mount)
        if self.security.get("readOnlyRootFilesystem"):
            lines.append("mount -o remount,ro,mode=755 .")
        return "\n".join([*lines, self._go(root)]) + "\n"

    def _system(self) -> list[str]:
        lines = ["mkdir proc dev dev/shm etc .etc", "mount -t proc proc proc", "chmod 1777 dev/shm"]
        lines.append(f"cp -a {' '.join('/dev/' + name for name in _DEVICES)} dev")
        for name in SYSTEM:
            host = Path("/", name)
            if host.is_symlink():
                lines.append(f"ln -s {host.readlink()} {name}")
            elif host.is_dir():
                lines += _bind(Mount(source=host, target=f"/{name}", read_only=True))
        lines.append("ln -s /proc/self/fd dev/fd")
        # Files of the host's /etc without those that a container has for itself.
        lines += ["mount -o bind,ro /etc .etc", "(cd etc && ln -s ../.etc/* .)"]
        lines.append("rm -rf etc/hosts etc/resolv.conf etc/treadle; : > etc/resolv.conf")
        return lines

    def _go(self, root: Path) -> str:
        user = int(self.security.get("runAsUser", 0))
        group = int(self.security.get("runAsGroup", user))
        groups = [str(group), *map(str, self.security.get("supplementalGroups", ()))]
        setpriv = ["setpriv", f"--reuid={user}", f"--regid={group}", f"--groups={','.join(groups)}"]
        if user:
            setpriv += ["--no-new-privs", "--inh-caps=-all", "--bounding-set=-all"]
        pairs = [f"{name}={value}" for name, value in self.environment.items()]
        env = ["env", "-i", "-C", self.folder, *pairs]
        # setpriv is the image's; env looks the command up in the container's own PATH.
        whole = ["chroot", str(root), *setpriv, *env, *self.command]
        return f"echo >&0\nexec {shlex.join(whole)} </dev/null"


def _bind(mount: Mount) -> list[str]:
    place = shlex.quote(mount.target.lstrip("/"))
    source = shlex.quote(str(mount.source))
    folder = place if mount.source.is_dir() else str(Path(mount.target.lstrip("/")).parent)
    lines = [f"[ -d {folder} ] || mkdir -p {folder}"]
    if not mount.source.is_dir():
        lines.append(f": >> {place}")
    return [*lines, f"mount -o {'bind,ro' if mount.read_only else 'bind'} {source} {place}"]
