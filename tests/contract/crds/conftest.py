"""An API server that knows our kinds, and a way to ask it what it thinks of an object."""

from __future__ import annotations

import time

import pytest
from harness.kubernetes.api import Api
from harness.kubernetes.control_plane import ControlPlane
from harness.kubernetes.resources import CRDS, PLURALS, collection
from harness.processes import wait_until

SERVED_SECONDS = 30.0


@pytest.fixture(scope="session")
def cluster(api_server: ControlPlane) -> ControlPlane:
    """The API server with the definitions of crds/ applied as a user would."""
    api_server.kubectl("apply", "--server-side", "-f", str(CRDS))
    definitions = [f"crd/{plural}.treadle.dev" for plural in PLURALS.values()]
    api_server.kubectl("wait", "--for=condition=Established", "--timeout=30s", *definitions)
    wait_until(
        lambda: all(api_server.api.get(collection(kind)).accepted for kind in PLURALS),
        within=SERVED_SECONDS,
        what="the custom resources being served",
    )
    return api_server


@pytest.fixture
def api(cluster: ControlPlane) -> Api:
    return cluster.api


@pytest.fixture
def namespace(cluster: ControlPlane) -> str:
    """A namespace that no other test uses."""
    name = f"test-{time.monotonic_ns()}"
    manifest = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
    cluster.api.create("/api/v1/namespaces", manifest).expect()
    return name
