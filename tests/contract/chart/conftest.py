"""The real helm, and an API server that nobody has installed anything on."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from harness.kubernetes.chart import Helm
from harness.kubernetes.control_plane import ControlPlane


@pytest.fixture
def helm(kubernetes_bin: Path, tmp_path: Path) -> Helm:
    return Helm(kubernetes_bin / "helm", tmp_path)


@pytest.fixture(scope="module")
def bare(kubernetes_bin: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    """Without our custom resources: the chart brings them."""
    folder = tmp_path_factory.mktemp("bare")
    with ControlPlane(folder, binaries=kubernetes_bin) as plane:
        yield plane


@pytest.fixture
def namespace(bare: ControlPlane) -> str:
    """One that enforces the restricted Pod Security Standard."""
    name = f"restricted-{time.monotonic_ns()}"
    labels = {"pod-security.kubernetes.io/enforce": "restricted"}
    manifest = {"metadata": {"name": name, "labels": labels}}
    bare.api.create("/api/v1/namespaces", manifest).expect()
    return name


@pytest.fixture
def installer(bare: ControlPlane, kubernetes_bin: Path, tmp_path: Path) -> Helm:
    """helm as an administrator of that API server."""
    return Helm(kubernetes_bin / "helm", tmp_path, bare.kubeconfig)
