"""The example contract in every language on a Peer of a namespace: made once, used by all."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from e2e import wanted
from e2e.kubectl import Kubectl
from e2e.vendored import vendored
from harness.chaincodes import PEER_LANGUAGE
from harness.fabric_cli import FabricCli

CHANNEL = "mychannel"
BUILD_SECONDS = 900.0
INSTANTIATIONS = "chaincodeinstantiations.treadle.dev"
PACKAGES = "chaincodepackages.treadle.dev"


def push(
    there: Kubectl, folder: Path, *, name: str, language: str, version: str = "1"
) -> Mapping[str, Any]:
    """``treadle package push``: install at peer0, and the object that refers to what is there."""
    options = ["--name", name, "--version", version, "--language", PEER_LANGUAGE[language]]
    environment = there.environment()
    environment["PATH"] = f"{there.binaries}:{environment['PATH']}"
    command = [sys.executable, "-m", "treadle_cli.main", "package", "push", str(folder)]
    done = subprocess.run(
        [*command, *options, "--peer", "peer0", "--namespace", there.namespace],
        env=environment, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    printed: Mapping[str, Any] = yaml.safe_load(done.stdout)
    return printed


def is_there(there: Kubectl, *what: str) -> bool:
    """Whether an object exists."""
    return bool(there.run("get", *what, "--ignore-not-found", "--output=name").strip())


@dataclass(frozen=True, slots=True)
class Accounts:
    """``accounts-<language>`` with 100 in a and 0 in b, in the namespace of *there*.

    *sources* takes the packages' folders; *seconds* is how long each took until it was Ready.
    """

    there: Kubectl
    sources: Path
    seconds: dict[str, float] = field(default_factory=dict)

    def ready(self, language: str) -> str:
        """The name of the chaincode; built and instantiated by the first who asks."""
        name = f"accounts-{language}"
        if language in self.seconds:
            return name
        begun = time.monotonic()
        if not is_there(self.there, INSTANTIATIONS, name):
            folder = self._folder(language)
            manifest = push(self.there, folder, name=name, language=language)
            package = manifest["metadata"]["name"]
            begun = time.monotonic()
            wish = wanted.instantiation(name, package, "init", "a", "100", "b", "0")
            self.there.apply(manifest, wish)
            self.there.wait(f"{PACKAGES}/{package}", "condition=Ready", within=60)
        self.there.wait(f"{INSTANTIATIONS}/{name}", "condition=Ready", within=BUILD_SECONDS)
        self.seconds[language] = time.monotonic() - begun
        return name

    def _folder(self, language: str) -> Path:
        self.sources.mkdir(parents=True, exist_ok=True)
        return vendored(language, self.sources)


def balance(cli: FabricCli, name: str, account: str) -> int:
    """What the contract *name* has in that account."""
    found: int = json.loads(cli.query(name, "query", account, channel=CHANNEL))["balance"]
    return found


def answers(cli: FabricCli, name: str) -> bool:
    """Whether a query reaches a process of that chaincode now."""
    try:
        return balance(cli, name, "a") >= 0
    except AssertionError:
        return False
