"""What the real cluster needs from the machine."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from cluster.layout import default_binaries
from e2e import wanted
from e2e.accounts import Accounts, is_there
from e2e.clusters import ROOT, chosen_cluster
from e2e.first_steps import first_steps
from e2e.kubectl import Kubectl
from e2e.local_cluster import COMMANDS, PROGRAMS, Programs
from e2e.organization import fabric_cli
from harness.fabric_cli import FabricCli

Connect = Callable[[Kubectl], AbstractContextManager[FabricCli]]


def _missing() -> str | None:
    """What a local cluster lacks on this machine, in a sentence."""
    if os.geteuid() != 0:
        return "a local cluster is started by root"
    for command in COMMANDS:
        if shutil.which(command) is None:
            return f"{command} is not installed; tools/ci-install.sh installs it"
    for program in PROGRAMS:
        if not (default_binaries() / program).exists():
            return f"{program} is not built; run tools/kubernetes-binaries.sh all"
    return None


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip on a developer's machine; fail where nothing may be skipped silently."""
    local = os.environ.get("TREADLE_E2E_CLUSTER", "local") == "local"
    needed = item.get_closest_marker("cluster") or (local and item.get_closest_marker("e2e"))
    reason = _missing() if needed else None
    if reason is None:
        return
    if os.environ.get("CI") == "true":
        pytest.fail(f"a real part is missing in CI: {reason}", pytrace=False)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def kubernetes_bin() -> Path:
    """The folder of the real Kubernetes programs."""
    return default_binaries()


@pytest.fixture(scope="session")
def anywhere(tmp_path_factory: pytest.TempPathFactory, kubernetes_bin: Path) -> Iterator[Kubectl]:
    """The cluster of this run, with all images and without anything of ours."""
    folder = tmp_path_factory.mktemp("e2e")
    with chosen_cluster(folder) as kubeconfig:
        yield Kubectl(kubeconfig, binaries=kubernetes_bin, folder=folder)


@pytest.fixture(scope="session")
def new_namespace(anywhere: Kubectl) -> Callable[[str], Kubectl]:
    """One more namespace that enforces what is restricted, with an operator of its own."""

    def make(name: str) -> Kubectl:
        anywhere.apply(wanted.namespace(name))
        there = anywhere.within(name)
        chart, once = str(ROOT / "charts" / "treadle"), "--set=crds.enabled=false"
        there.helm("install", "treadle", chart, once, "--wait", "--timeout=3m", within=200)
        return there

    return make


@pytest.fixture(scope="session")
def trade(anywhere: Kubectl) -> Kubectl:
    """The README's lines on the fresh cluster, but the last, which waits; and the Peer is Ready.

    A namespace that an earlier run left on the cluster is taken as it is.
    """
    there = anywhere.within("trade")
    if not is_there(anywhere, "namespace", "trade"):
        for line in first_steps()[:-1]:
            anywhere.typed(line)
            if line.startswith("kubectl create namespace"):
                anywhere.apply(wanted.namespace("trade"))  # it enforces what is restricted, too
    there.wait("peers.treadle.dev/peer0", "condition=Ready", within=180)
    return there


@pytest.fixture(scope="session")
def accounts(trade: Kubectl, tmp_path_factory: pytest.TempPathFactory) -> Accounts:
    """The example contract in every language on peer0: each is built once in a run."""
    return Accounts(trade, tmp_path_factory.mktemp("accounts"))


@pytest.fixture(scope="session")
def connected(fabric_bin: Path, fabric_sampleconfig: Path) -> Connect:
    """The administrator of a namespace's peer0, for as long as its pod lives."""

    def connect(there: Kubectl) -> AbstractContextManager[FabricCli]:
        return fabric_cli(there, binaries=fabric_bin, sample=fabric_sampleconfig)

    return connect


@pytest.fixture
def cli(trade: Kubectl, connected: Connect) -> Iterator[FabricCli]:
    """The administrator of trade's peer0, through a port-forward of this test's own."""
    with connected(trade) as ready:
        yield ready


@pytest.fixture(scope="session")
def programs(anywhere: Kubectl) -> Programs:
    """Those of the cluster, where they are ours to kill."""
    folder = anywhere.kubeconfig.parent
    if not (folder / "cluster.json").exists():
        pytest.skip("only the local cluster's programs are killed by tests")
    return Programs(folder)
