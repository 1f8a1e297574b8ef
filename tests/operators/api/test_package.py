"""A ChaincodePackage against a real API server whose peers do not run."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from harness.operating.account import Account
from harness.operating.fixtures import Cluster, Start, is_quiet
from harness.operating.world import Namespace
from harness.processes import wait_until

pytestmark = pytest.mark.kubernetes

Ready = Callable[[str, str], str]


@pytest.fixture
def ready(space: Namespace) -> Ready:
    """The message once Ready of a package has a reason."""

    def becomes(name: str, reason: str) -> str:
        def condition() -> tuple[str, str, str]:
            return space.condition("Ready", name, of="ChaincodePackage")

        wait_until(lambda: condition()[1] == reason, within=60, what=f"{reason} of {name}")
        assert condition()[0] == "False"
        return condition()[2]

    return becomes


def test_a_package_says_which_peer_it_waits_for(
    space: Namespace, start: Start, ready: Ready
) -> None:
    space.create_package()
    start()
    assert "there is no Peer peer0" in ready("asset-1.0", "PeerMissing")
    space.create_peer()
    assert "peer0: " in ready("asset-1.0", "PeerNotReady")
    target = space.get("ChaincodePackage", "asset-1.0")["status"]["targets"][0]
    assert (target["peer"], target["installed"]) == ("peer0", False)
    assert target["message"]


def test_a_package_that_waits_writes_nothing_again(
    space: Namespace, start: Start, ready: Ready, cluster: Cluster, account: Account
) -> None:
    space.create_package()
    process = start()
    ready("asset-1.0", "PeerMissing")
    before = cluster.writes(account)
    path = space.path("ChaincodePackage", "asset-1.0")
    space.api.merge(path, {"metadata": {"labels": {"a": "b"}}}).expect()
    is_quiet(process, reconciles=2)
    assert cluster.writes(account) == before


def test_a_deleted_package_leaves_nothing(space: Namespace, start: Start, ready: Ready) -> None:
    space.create_package(deletionPolicy="Uninstall")
    process = start()
    ready("asset-1.0", "PeerMissing")
    space.api.delete(space.path("ChaincodePackage", "asset-1.0")).expect()
    assert space.find("ChaincodePackage", "asset-1.0") is None
    is_quiet(process, reconciles=2)
