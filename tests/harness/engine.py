"""A real container engine of a test's own: Debian's dockerd, beside any that is installed."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
from collections.abc import Mapping
from pathlib import Path

from harness.processes import Started, wait_until

PROGRAMS = ("dockerd", "containerd", "runc", "unshare")
CGROUP = "/treadle-tests"


def unable() -> str | None:
    """What keeps an engine from running here."""
    for program in PROGRAMS:
        if shutil.which(program) is None:
            return f"{program} is not installed; run tools/ci-install.sh to run container engines"
    return None if os.geteuid() == 0 else "only root can start a container engine"


class ContainerEngine:
    """One dockerd. Its mounts are in a namespace of their own; it touches no network.

    *data* outlives it, with the images; *folder* holds what one run needs. Containers share the
    network of this machine, or have none.
    """

    def __init__(self, folder: Path, *, data: Path) -> None:
        self._folder = folder
        self._data = data
        self._process: Started | None = None

    @property
    def socket(self) -> Path:
        """Where it listens."""
        return self._folder / "engine.sock"

    @property
    def endpoint(self) -> str:
        """What clients are told."""
        return f"unix://{self.socket}"

    def start(self) -> ContainerEngine:
        """Start it and wait until it answers."""
        self._folder.mkdir(parents=True, exist_ok=True)
        self._data.mkdir(parents=True, exist_ok=True)
        process = self._process = Started(
            ["unshare", "--mount", "dockerd", *self._flags()], output=self._folder / "output"
        )

        def answers() -> bool:
            assert process.running(), f"the engine ended:\n{process.text()}"
            return self.socket.exists() and self.ask("info", succeeds=False).returncode == 0

        wait_until(answers, within=60, what="the engine being ready")
        return self

    def stop(self) -> None:
        """End it with everything that it runs."""
        if self._process is not None:
            # To it alone: its containerd is needed until the containers have ended.
            os.kill(self._process.pid, signal.SIGTERM)
            self._process.wait(within=60)
            self._process = None

    def ask(self, *arguments: str, succeeds: bool = True) -> subprocess.CompletedProcess[str]:
        """The engine's own command line."""
        command = ["docker", "--host", self.endpoint, *arguments]
        done = subprocess.run(command, capture_output=True, text=True, timeout=600)
        assert not succeeds or done.returncode == 0, f"{arguments}: {done.stderr}"
        return done

    def containers(self, *filters: str) -> list[Mapping[str, str]]:
        """All containers, running or not, that fit *filters* (``label=x=y``)."""
        chosen = [word for each in filters for word in ("--filter", each)]
        lines = self.ask("ps", "--all", "--no-trunc", "--format", "{{json .}}", *chosen).stdout
        return [json.loads(line) for line in lines.splitlines()]

    def inspect(self, container: str) -> Mapping[str, object]:
        """Everything that the engine knows of *container*."""
        (found,) = json.loads(self.ask("inspect", container).stdout)
        assert isinstance(found, dict)
        return found

    def has_image(self, name: str) -> bool:
        """Whether the image is there."""
        return self.ask("image", "inspect", name, succeeds=False).returncode == 0

    def _flags(self) -> list[str]:
        return [
            f"--data-root={self._data}",
            f"--exec-root={self._folder / 'exec'}",
            f"--pidfile={self._folder / 'pid'}",
            f"--host={self.endpoint}",
            "--bridge=none",
            "--iptables=false",
            "--ip6tables=false",
            "--ip-forward=false",
            "--storage-driver=overlay2",
            # Lowering it takes a right that root in a container may not have.
            "--oom-score-adjust=0",
            "--exec-opt=native.cgroupdriver=cgroupfs",
            f"--cgroup-parent={CGROUP}",
        ]
