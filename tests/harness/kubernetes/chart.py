"""The chart of this repository, rendered and installed by the real helm."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from harness.kubernetes.resources import ROOT
from treadle_operator.resources import quantity

CHART = ROOT / "charts" / "treadle"
KUBERNETES = "1.35.4"
Body = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Done:
    """What helm said, and whether it succeeded."""

    succeeded: bool
    output: str
    errors: str

    def expect(self) -> str:
        assert self.succeeded, self.errors
        return self.output


@dataclass(frozen=True, slots=True)
class Helm:
    """The real helm, with everything that it keeps in *folder*."""

    program: Path
    folder: Path
    kubeconfig: Path | None = None

    def run(self, *arguments: str, values: Mapping[str, object] | None = None) -> Done:
        """``helm <arguments>``; *values* stand in a file, as users have them."""
        command = [str(self.program), *arguments]
        if values is not None:
            command += ["--values", "-"]
        environment = {
            "HOME": str(self.folder),
            "PATH": "/usr/bin:/bin",
            "KUBECONFIG": str(self.kubeconfig or self.folder / "none"),
        }
        done = subprocess.run(
            command, input=json.dumps(values or {}), env=environment,
            capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip
        return Done(done.returncode == 0, done.stdout, done.stderr)

    def template(
        self, values: Mapping[str, object] | None = None, *, namespace: str = "own"
    ) -> Done:
        """Render the release ``treadle`` of *namespace*, for no cluster in particular."""
        place = ("template", "treadle", str(CHART), "--namespace", namespace)
        return self.run(*place, "--kube-version", KUBERNETES, values=values or {})

    def objects(self, values: Mapping[str, object] | None = None) -> list[Body]:
        """Everything rendered for the namespace ``own``."""
        text = self.template(values).expect()
        return [one for one in yaml.safe_load_all(text) if one is not None]


def of_kind(objects: list[Body], kind: str) -> list[Body]:
    return [one for one in objects if one["kind"] == kind]


def the(objects: list[Body], kind: str) -> Body:
    """The only object of *kind*."""
    (found,) = of_kind(objects, kind)
    return found


def memory_limit() -> int:
    """Bytes that the operator's container may have."""
    values = yaml.safe_load((CHART / "values.yaml").read_text())
    return int(quantity(values["resources"]["limits"]["memory"]) or 0)
