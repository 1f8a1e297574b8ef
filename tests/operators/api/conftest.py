"""A real API server that writes an audit log, and a namespace for each test."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from harness.kubernetes.control_plane import ControlPlane
from harness.kubernetes.resources import CRDS, PLURALS, collection
from harness.operating.account import Account, new_account
from harness.operating.fixtures import Cluster, Start
from harness.operating.process import OperatorProcess
from harness.operating.rights import Audit
from harness.operating.world import Namespace
from harness.processes import wait_until


def _binaries() -> Path:
    """Where tools/kubernetes-binaries.sh puts the real Kubernetes programs."""
    given = os.environ.get("TREADLE_KUBERNETES_BIN")
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(given) if given else Path(cache) / "treadle" / "kubernetes-v1.35.4" / "bin"


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """With the admission that asks who may block the deletion of an owner."""
    folder = tmp_path_factory.mktemp("operators")
    audit = Audit.below(folder)
    with ControlPlane(folder, binaries=_binaries(), flags=audit.flags) as plane:
        plane.kubectl("apply", "--server-side", "-f", str(CRDS))
        wait_until(
            lambda: all(plane.api.get(collection(kind)).accepted for kind in PLURALS),
            within=30,
            what="the custom resources being served",
        )
        yield Cluster(plane, audit)


@pytest.fixture
def account(cluster: Cluster) -> Account:
    return new_account(cluster.plane)


@pytest.fixture
def space(cluster: Cluster, account: Account) -> Namespace:
    return Namespace(cluster.plane.api, account.namespace)


@pytest.fixture
def start(account: Account, cluster: Cluster, tmp_path: Path) -> Iterator[Start]:
    """Start an operator for the test's namespace; it ends with the test."""
    with ExitStack() as stack:
        count = iter(range(1000))

        def begin(server: str = cluster.server) -> OperatorProcess:
            name = f"operator-{next(count)}"
            process = OperatorProcess(account, tmp_path, server=server, name=name)
            return stack.enter_context(process)

        yield begin
