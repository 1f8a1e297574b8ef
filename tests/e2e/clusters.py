"""The cluster that ``make e2e`` runs on: one of its own, or the one that kubectl is pointed at."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from e2e.kind import kind_cluster
from e2e.local_cluster import cluster_command

ROOT = Path(__file__).resolve().parents[2]
IMAGES_SECONDS = 3600.0


def archives() -> list[Path]:
    """All images of the chart, built when they are not there yet."""
    done = subprocess.run(
        [str(ROOT / "tools" / "images.sh")],
        capture_output=True, text=True, timeout=IMAGES_SECONDS, check=False,
    )  # fmt: skip
    assert done.returncode == 0, f"tools/images.sh: {done.stderr}"
    return sorted(Path(done.stdout.splitlines()[-1]).glob("*.tar"))


@contextmanager
def chosen_cluster(folder: Path) -> Iterator[Path]:
    """The kubeconfig of the cluster that TREADLE_E2E_CLUSTER says: local, kind or current.

    The first two are started with the images and ended. ``current`` is KUBECONFIG's, which can
    get the images already.
    """
    chosen = os.environ.get("TREADLE_E2E_CLUSTER", "local")
    if chosen == "current":
        yield Path(os.environ["KUBECONFIG"])
        return
    start = {"local": local_cluster, "kind": kind_cluster}[chosen]
    with start(folder, archives()) as kubeconfig:
        yield kubeconfig


@contextmanager
def local_cluster(folder: Path, images: Sequence[Path]) -> Iterator[Path]:
    """The kubeconfig of a fresh local cluster that has the images of *images*."""
    place = folder / "cluster"
    kubeconfig = Path(cluster_command(place, "up").strip())
    try:
        if images:
            cluster_command(place, "load", *map(str, images), within=900)
        yield kubeconfig
    finally:
        cluster_command(place, "down")
