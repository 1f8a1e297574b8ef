"""The real kubectl and helm against one cluster, as a person would type them."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from harness.processes import Started, wait_until

ROOT = Path(__file__).resolve().parents[2]
WAIT_SECONDS = 120.0


@dataclass(frozen=True, slots=True)
class Kubectl:
    """Commands for the cluster of *kubeconfig*; *folder* takes what they write."""

    kubeconfig: Path
    binaries: Path
    folder: Path
    namespace: str = "default"

    def within(self, namespace: str) -> Kubectl:
        """The same cluster, another namespace."""
        return Kubectl(self.kubeconfig, self.binaries, self.folder, namespace)

    def program(self, name: str) -> str:
        """A built one, or else the machine's."""
        built = self.binaries / name
        return str(built) if built.exists() else shutil.which(name) or name

    def environment(self) -> dict[str, str]:
        """Of programs that find the cluster by KUBECONFIG, and keep their caches here."""
        own = {"KUBECONFIG": str(self.kubeconfig), "KUBECACHEDIR": str(self.folder / "cache")}
        return {**os.environ, **own, "HELM_CACHE_HOME": str(self.folder / "helm")}

    def run(self, *arguments: str, stdin: str = "", within: float = WAIT_SECONDS) -> str:
        """What kubectl prints; AssertionError with its error when it fails."""
        return self._run("kubectl", arguments, stdin=stdin, within=within)

    def helm(self, *arguments: str, within: float = WAIT_SECONDS) -> str:
        """What helm prints."""
        return self._run("helm", arguments, stdin="", within=within)

    def typed(self, line: str, *, within: float = WAIT_SECONDS) -> str:
        """A line of documentation, typed in a checkout of this repository; what it prints."""
        program, *arguments = shlex.split(line)
        return self._ran([self.program(program), *arguments], stdin="", within=within)

    def apply(self, *manifests: Mapping[str, Any]) -> None:
        """Create or change objects; those without a namespace in the own one."""
        self.run("apply", "--filename=-", stdin=yaml.safe_dump_all(manifests))

    def get(self, *what: str) -> Any:
        """The object, or the list of them."""
        return json.loads(self.run("get", *what, "--output=json"))

    def wait(self, what: str, condition: str, *, within: float = WAIT_SECONDS) -> None:
        """kubectl wait; AssertionError with what is there, when it does not come."""
        limit = f"--timeout={within:g}s"
        try:
            self.run("wait", what, f"--for={condition}", limit, within=within + 10)
        except AssertionError as late:
            there = self.run("get", "pods,events", "--output=wide")
            raise AssertionError(f"{late}\n{self.run('describe', what)}\n{there}") from late

    @contextmanager
    def forward(self, target: str, *ports: int) -> Iterator[tuple[int, ...]]:
        """Ports of this machine that lead to *ports* of a pod or Service."""
        command = [self.program("kubectl"), f"--namespace={self.namespace}", "port-forward"]
        log = self.folder / f"forward-{target.replace('/', '-')}-{ports[0]}.log"
        log.unlink(missing_ok=True)
        started = Started(
            [*command, "--address=127.0.0.1", target, *(f":{port}" for port in ports)],
            output=log,
            environment=self.environment(),
        )
        try:
            for number in range(len(ports)):
                wait_until(
                    lambda said=number: len(_forwarded(started)) > said,
                    within=30,
                    what=f"kubectl port-forward {target}",
                )
            yield _forwarded(started)
        finally:
            started.stop()

    def _run(self, name: str, arguments: tuple[str, ...], *, stdin: str, within: float) -> str:
        command = [self.program(name), f"--namespace={self.namespace}", *arguments]
        return self._ran(command, stdin=stdin, within=within)

    def _ran(self, command: list[str], *, stdin: str, within: float) -> str:
        done = subprocess.run(
            command, input=stdin, env=self.environment(), cwd=ROOT, timeout=within, check=False,
            capture_output=True, text=True,
        )  # fmt: skip
        assert done.returncode == 0, f"{' '.join(command)}: {done.stderr}{done.stdout}"
        return done.stdout


def _forwarded(started: Started) -> tuple[int, ...]:
    """Local ports in the order of their saying; AssertionError when it ended instead."""
    assert started.running(), started.text()
    return tuple(map(int, re.findall(r"Forwarding from 127\.0\.0\.1:(\d+)", started.text())))
