"""A chaincode in an image of its own, brought to the cluster without any registry."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from cluster.images import write_program
from e2e.kind import NAME, kind
from e2e.local_cluster import cluster_command
from harness.chaincodes import copy_sources

_IMAGE = "treadle.local/accounts"
_COMMAND = ("sh", "-c", "exec /program -peer.address=$CORE_PEER_ADDRESS")


def prebuilt_image(kubeconfig: Path, folder: Path) -> str:
    """name@digest of the Go example as an image for fabric-builder-k8s, which every node has.

    On a cluster that is neither local nor kind, TREADLE_E2E_PREBUILT names one that it can get.
    """
    given = os.environ.get("TREADLE_E2E_PREBUILT")
    if given:
        return given
    archive = folder / "accounts.tar"
    reference = write_program(archive, _program(folder), name=_IMAGE, command=_COMMAND)
    place = kubeconfig.parent
    if (place / "cluster.json").exists():
        cluster_command(place, "load", str(archive), within=900)
    elif os.environ.get("TREADLE_E2E_CLUSTER") == "kind":
        kind("load", "image-archive", str(archive), f"--name={NAME}")
    else:
        pytest.skip("TREADLE_E2E_PREBUILT names no image of the Go example for this cluster")
    return reference


def _program(folder: Path) -> Path:
    """Built without a C library: it runs in any image."""
    sources = copy_sources("go", folder / "source")
    done = subprocess.run(
        ["go", "build", "-trimpath", "-buildvcs=false", "-o", "program", "."],
        cwd=sources, env={**os.environ, "CGO_ENABLED": "0"},
        capture_output=True, text=True, timeout=600, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return sources / "program"
