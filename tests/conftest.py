"""What every test relies on: real parts are there in CI; elsewhere a skip says how to get them."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from harness.idling import IdleStreams
    from harness.kubernetes.control_plane import ControlPlane

FABRIC_TOOLS = ("peer", "orderer", "configtxgen", "configtxlator", "cryptogen")
CONTROL_PLANE = ("kube-apiserver", "kubectl", "helm")
CONTROLLERS = ("kube-controller-manager", "kube-scheduler")
COMMANDS = {
    "go": ("go",),
    "node": ("node", "npm"),
    "java": ("javac", "mvn"),
    "python": ("python3",),
}


def fabric_bin_folder() -> Path:
    """Where tools/fabric-binaries.sh puts the real Fabric tools."""
    given = os.environ.get("TREADLE_FABRIC_BIN")
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(given) if given else Path(cache) / "treadle" / "fabric-2.5.9" / "bin"


def kubernetes_bin_folder() -> Path:
    """Where tools/kubernetes-binaries.sh puts the real Kubernetes programs."""
    given = os.environ.get("TREADLE_KUBERNETES_BIN")
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(given) if given else Path(cache) / "treadle" / "kubernetes-v1.35.4" / "bin"


def missing_part(item: pytest.Item) -> str | None:
    """A sentence that names what *item* needs and this machine lacks."""
    for marker in item.iter_markers("toolchain"):
        for command in COMMANDS[marker.args[0]]:
            if shutil.which(command) is None:
                return f"{command} is not installed; install it to run {marker.args[0]} chaincode"
    if item.get_closest_marker("real_fabric"):
        folder = fabric_bin_folder()
        if not all((folder / tool).exists() for tool in FABRIC_TOOLS):
            return "the real Fabric tools are not built; run tools/fabric-binaries.sh"
    if item.get_closest_marker("kubernetes"):
        folder = kubernetes_bin_folder()
        if not all((folder / program).exists() for program in CONTROL_PLANE):
            return "the real API server is not built; run tools/kubernetes-binaries.sh"
        if shutil.which("etcd") is None:
            return "etcd is not installed; the API server keeps its objects in it"
    if item.get_closest_marker("docker"):
        from harness.engine import unable

        return unable()
    return missing_node() if item.get_closest_marker("process_node") else None


def missing_node() -> str | None:
    """What keeps pods from running as processes of this machine."""
    folder = kubernetes_bin_folder()
    if not all((folder / program).exists() for program in CONTROLLERS):
        return "the real controllers are not built; run tools/kubernetes-binaries.sh controllers"
    from harness.nodes.network import unable

    return unable()


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip with a reason on a developer's machine; fail where nothing may be skipped silently."""
    reason = missing_part(item)
    if reason is None:
        return
    if os.environ.get("CI") == "true":
        pytest.fail(f"a real part is missing in CI: {reason}", pytrace=False)
    pytest.skip(reason)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The tests that wait for a long silence come last: others run during it."""
    items.sort(key=_needs_silence)


def _needs_silence(item: pytest.Item) -> bool:
    return "idle_streams" in getattr(item, "fixturenames", ())


@pytest.fixture(scope="session", autouse=True)
def silence_begins_early(request: pytest.FixtureRequest) -> None:
    """Whatever runs first, the silence that the last tests wait for begins before it."""
    possible = all(map(shutil.which, ("go", "node")))
    if possible and any(_needs_silence(item) for item in request.session.items):
        request.getfixturevalue("idle_streams")


@pytest.fixture(scope="session")
def idle_streams(tmp_path_factory: pytest.TempPathFactory) -> Iterator[IdleStreams]:
    """A Go and a Node chaincode in development mode that nobody calls."""
    # Only the tests that wait for them pay for what these import.
    from harness.idling import IdleStreams
    from harness.peers import Peers

    folder = tmp_path_factory.mktemp("idle")
    peers = Peers(folder)
    streams = IdleStreams(peer=peers(mode="dev"), folder=folder)
    try:
        for language in ("go", "node"):
            streams.begin(language)
        yield streams
    finally:
        streams.end()


@pytest.fixture(scope="session")
def fabric_bin() -> Path:
    """The folder of the real Fabric 2.5.9 tools."""
    return fabric_bin_folder()


@pytest.fixture(scope="session")
def fabric_sampleconfig(fabric_bin: Path) -> Path:
    """Fabric's own sample configuration (core.yaml, configtx.yaml, msp)."""
    return fabric_bin.parent / "sampleconfig"


@pytest.fixture(scope="session")
def kubernetes_bin() -> Path:
    """The folder of the real Kubernetes programs."""
    return kubernetes_bin_folder()


@pytest.fixture(scope="session")
def api_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    """A real Kubernetes API server without nodes; for tests marked ``kubernetes``."""
    # Only they pay for what it imports.
    from harness.kubernetes.control_plane import ControlPlane

    folder = tmp_path_factory.mktemp("kubernetes")
    with ControlPlane(folder, binaries=kubernetes_bin_folder()) as running:
        yield running


@pytest.fixture
def say(capsys: pytest.CaptureFixture[str]) -> Callable[[str], None]:
    """Show a measured figure in the test run's output."""

    def show(text: str) -> None:
        with capsys.disabled():
            print(f"\n    {text}", flush=True)

    return show
