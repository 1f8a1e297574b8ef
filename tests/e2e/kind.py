"""All that is special about kind: create, load, kubeconfig, delete."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

NAME = "treadle-e2e"


def kind(*arguments: str, within: float = 600) -> None:
    """Run kind; AssertionError with its error when it fails."""
    done = subprocess.run(
        ["kind", *arguments], capture_output=True, text=True, timeout=within, check=False
    )
    assert done.returncode == 0, f"kind {' '.join(arguments)}: {done.stderr}{done.stdout}"


@contextmanager
def kind_cluster(folder: Path, archives: Sequence[Path]) -> Iterator[Path]:
    """The kubeconfig of a fresh cluster that has the images of *archives*."""
    kubeconfig = folder / "kubeconfig"
    name = f"--name={NAME}"
    kind("create", "cluster", name, f"--kubeconfig={kubeconfig}", "--wait=5m")
    try:
        for archive in archives:
            kind("load", "image-archive", str(archive), name)
        yield kubeconfig
    finally:
        kind("delete", "cluster", name, f"--kubeconfig={kubeconfig}")
