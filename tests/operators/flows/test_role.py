"""The Role of the chart is enough for everything that an operator does, and no more than enough."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest
from harness.impostors import dialled
from harness.nodes import images
from harness.nodes.images import Image
from harness.nodes.machine import Machine, machine
from harness.operating.operated import Operated, go_files, operated, package_of
from harness.operating.rights import Audit, allowed
from harness.processes import wait_until

pytestmark = [
    pytest.mark.kubernetes,
    pytest.mark.process_node,
    pytest.mark.toolchain("go"),
    pytest.mark.timeout(600),
]

# The API server's admission asks for these when an owner is set; nobody sends such a request.
OF_ADMISSION = {("peers/finalizers", "update")}
EXTERNAL = {"host": "p.example.com", "service": {"type": "NodePort"}}
KIND = "ChaincodeInstantiation"
WITHIN = 240.0


@pytest.fixture
def audit(tmp_path: Path) -> Audit:
    return Audit.below(tmp_path)


@pytest.fixture
def audited(tmp_path: Path, kubernetes_bin: Path, audit: Audit) -> Iterator[Machine]:
    """A machine whose API server writes an audit log."""
    known = {"stock": images.STOCK, "peer": images.PEER, "golang": images.golang()}
    with machine(tmp_path, binaries=kubernetes_bin, images=known, flags=audit.flags) as running:
        yield running


def change_the_peer(trade: Operated) -> None:
    """Take a Service away and let the volume grow."""
    trade.change("Peer", "peer0", external=None, storage={"size": "20Gi"})
    wait_until(
        lambda: trade.space.find("Service", "peer0-external") is None,
        within=60,
        what="the Service being gone",
    )


def fetch_a_package(trade: Operated, audited: Machine, folder: Path) -> None:
    """Sources come out of an image, by a Job."""
    folder.mkdir()
    folder.chmod(0o755)
    (folder / "index.js").write_text("{}")
    (folder / "package.json").write_text("{}")
    audited.node.images["sources"] = Image(folders={"/sources": folder})
    source = {"imageFiles": {"image": "sources", "path": "/sources"}}
    trade.space.create_package("imaged", name="imaged", language="node", source=source)
    trade.becomes("ChaincodePackage", "imaged", "Installed")


def run_chaincodes(trade: Operated) -> None:
    """One runs and is replaced by its next version, another cannot be built."""
    init = {"args": ["init", "a", "1"]}
    for name, change in (("good", ("func ", "func ")), ("bad", ("func ", "fun "))):
        spec = package_of(go_files(change), name=name, version="1.0")
        trade.space.create_package(f"{name}-1.0", **spec)
        trade.instantiate(name, f"{name}-1.0", init=init)
    trade.ready(KIND, "good", within=WITHIN)
    wait_until(
        lambda: "syntax error" in trade.reason(KIND, "bad")[2],
        within=WITHIN,
        what="the end of the builder's log",
    )
    (before,) = trade.deployments()
    spec = package_of(go_files(), name="good", version="2.0")
    trade.space.create_package("good-2.0", **spec)
    trade.change(KIND, "good", packageRef={"name": "good-2.0"}, init=init)
    wait_until(
        lambda: trade.deployments() and before not in trade.deployments(),
        within=WITHIN,
        what="the new version's Deployment alone",
    )


def knock(trade: Operated) -> None:
    """A stranger is refused, and an Event says so."""
    (pod,) = trade.pods("peer0-0")
    code, _ = dialled(f"{pod['status']['podIP']}:7052", "stranger:1", None)
    assert code is grpc.StatusCode.PERMISSION_DENIED
    wait_until(
        lambda: any(each["reason"] == "RegistrationRefused" for each in trade.space.all("Event")),
        within=60,
        what="the Event",
    )


@pytest.mark.long
def test_no_request_is_forbidden_and_no_right_is_left_over(
    audited: Machine, audit: Audit, tmp_path: Path
) -> None:
    peer = {"deletionPolicy": "Delete", "external": EXTERNAL, "storage": {"size": "10Gi"}}
    with operated(audited, tmp_path / "operator", **peer) as trade:
        change_the_peer(trade)
        fetch_a_package(trade, audited, tmp_path / "sources")
        run_chaincodes(trade)
        knock(trade)
        assert not audit.forbidden(trade.account)
        assert audit.used(trade.account) <= allowed()
        assert audit.left_over(trade.account) == OF_ADMISSION
