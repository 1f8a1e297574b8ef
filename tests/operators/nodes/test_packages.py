"""Packages on real peers in pods, by an operator that may do only what its Role says."""

from __future__ import annotations

import base64
import hashlib
import random
import tarfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from harness.kubernetes.chart import memory_limit
from harness.nodes.images import Image
from harness.nodes.machine import Machine
from harness.operating.account import new_account
from harness.operating.chaincodes import package
from harness.operating.process import OperatorProcess
from harness.operating.world import Namespace
from harness.processes import wait_until
from treadle_fabric.packages import parse_legacy_package
from treadle_operator.packing import freeze

pytestmark = [pytest.mark.kubernetes, pytest.mark.process_node]

FILES = {"chaincode.py": "print()\n"}
CONTENTS = {name: text.encode() for name, text in FILES.items()}
FROZEN = freeze(package().spec, CONTENTS)


@dataclass(frozen=True, slots=True)
class Trade:
    """A namespace with an operator and a ready peer0."""

    space: Namespace
    operator: OperatorProcess

    def becomes(
        self, reason: str, name: str = "asset-1.0", condition: str = "Ready", within: float = 60
    ) -> str:
        """The message once the condition has that reason."""

        def found() -> tuple[str, str, str]:
            return self.space.condition(condition, name, of="ChaincodePackage")

        try:
            wait_until(lambda: found()[1] == reason, within=within, what=f"{reason} of {name}")
        except AssertionError as error:
            raise AssertionError(f"{error}; it is {found()}") from None
        return found()[2]

    def status(self, name: str = "asset-1.0") -> dict[str, Any]:
        found: dict[str, Any] = self.space.get("ChaincodePackage", name)["status"]
        return found

    def events(self, name: str = "asset-1.0") -> list[str]:
        about = {"kind": "ChaincodePackage", "name": name}.items()
        events = self.space.all("Event")
        return [each["reason"] for each in events if about <= each["involvedObject"].items()]

    def config_map(self, text: str) -> None:
        body = {"metadata": {"name": "code"}, "data": {"chaincode.py": text}}
        self.space.api.create(self.space.path("ConfigMap"), body).expect()

    def change_config_map(self, text: str) -> None:
        change = {"data": {"chaincode.py": text}}
        self.space.api.merge(self.space.path("ConfigMap", "code"), change).expect()


@dataclass(frozen=True, slots=True)
class Archive:
    """A tar.gz of a folder of sources, on a web server that pods reach."""

    url: str
    sha256: str
    folder: Path


@pytest.fixture
def archive(machine: Machine, tmp_path: Path) -> Iterator[Archive]:
    folder = tmp_path / "sources"
    folder.mkdir()
    for each in (tmp_path, folder):
        each.chmod(0o755)
    for name, text in FILES.items():
        (folder / name).write_text(text)
    packed = tmp_path / "a.tgz"
    with tarfile.open(packed, "w:gz") as archive:
        archive.add(folder, "asset")
    handler = partial(SimpleHTTPRequestHandler, directory=str(tmp_path))
    with ThreadingHTTPServer((machine.node.address, 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        digest = hashlib.sha256(packed.read_bytes()).hexdigest()
        yield Archive(f"http://{machine.node.address}:{server.server_port}/a.tgz", digest, folder)
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def trade(machine: Machine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trade]:
    account = new_account(machine.plane)
    space = Namespace(machine.plane.api, account.namespace)
    server = f"https://127.0.0.1:{machine.plane.port}"
    process = OperatorProcess(
        account, tmp_path_factory.mktemp("operator"), server=server, image="peer",
        hosts=machine.node.hosts,
    )  # fmt: skip
    with process:
        space.create_peer()
        wait_until(lambda: space.condition()[0] == "True", within=60, what="peer0 being ready")
        yield Trade(space, process)


def test_files_are_installed_and_the_status_says_as_what(trade: Trade) -> None:
    trade.space.create_package()
    assert trade.becomes("Installed") == "installed on peer0"
    status = trade.status()
    assert status["legacyID"] == "asset:1.0"
    assert status["packageID"] == FROZEN.package_id
    assert status["sha256"] == FROZEN.sha256
    code = parse_legacy_package(FROZEN.data).code
    assert status["sha256"] == hashlib.sha256(code).hexdigest()
    assert status["targets"] == [{"peer": "peer0", "installed": True}]
    assert trade.events() == ["Installed"]
    again = trade.space.create_package(
        "again", source={"installed": {"packageID": FROZEN.package_id}}
    )
    assert again["spec"]["source"]["installed"]
    trade.becomes("Installed", "again")
    assert trade.status("again")["packageID"] == FROZEN.package_id


def test_a_package_waits_for_its_config_map_and_is_not_moved_by_it_later(trade: Trade) -> None:
    source = {"configMap": {"name": "code"}}
    trade.space.create_package("mapped", version="2.0", source=source)
    assert "there is no ConfigMap code" in trade.becomes("SourceMissing", "mapped")
    trade.config_map("one\n")
    trade.becomes("Installed", "mapped")
    frozen = trade.status("mapped")["packageID"]
    trade.change_config_map("two\n")
    assert "new version" in trade.becomes("SourceChanged", "mapped", "SourceUnchanged")
    assert trade.becomes("Installed", "mapped")
    assert trade.status("mapped")["packageID"] == frozen
    trade.change_config_map("one\n")
    trade.becomes("AsInstalled", "mapped", "SourceUnchanged")
    assert sorted(trade.events("mapped")) == ["Installed", "SourceChanged", "SourceMissing"]


def test_a_peer_that_comes_later_gets_only_what_was_frozen(trade: Trade) -> None:
    trade.space.api.create(
        trade.space.path("ConfigMap"), {"metadata": {"name": "both"}, "data": {"a.py": "1\n"}}
    ).expect()
    peers = [{"name": "peer0"}, {"name": "peer1"}]
    trade.space.create_package(
        "both", version="3.0", source={"configMap": {"name": "both"}}, peers=peers
    )
    assert trade.becomes("PeerMissing", "both").startswith("peer1: there is no Peer peer1")
    installed = [target["installed"] for target in trade.status("both")["targets"]]
    assert installed == [True, False]
    path = trade.space.path("ConfigMap", "both")
    trade.space.api.merge(path, {"data": {"a.py": "2\n"}}).expect()
    trade.space.create_peer("peer1")
    trade.becomes("SourceChanged", "both")
    trade.space.api.merge(path, {"data": {"a.py": "1\n"}}).expect()
    assert trade.becomes("Installed", "both") == "installed on all 2 peers"


def test_a_given_package_is_installed_and_a_wrong_one_named(trade: Trade) -> None:
    secrets = trade.space.path("Secret")
    data = base64.b64encode(FROZEN.data).decode()
    trade.space.api.create(secrets, {"metadata": {"name": "given"}, "data": {"p": data}}).expect()
    source = {"package": {"secretRef": {"name": "given"}}}
    trade.space.create_package("wrong", version="9.0", source=source)
    assert "it holds asset 1.0, not asset 9.0" in trade.becomes("SourceInvalid", "wrong")
    trade.space.create_package("given", source=source)
    trade.becomes("Installed", "given")


def test_a_peer_never_replaces_a_package(trade: Trade) -> None:
    trade.space.create_package("first", version="4.0")
    trade.becomes("Installed", "first")
    trade.space.create_package("second", version="4.0", source={"files": {"b.py": ""}})
    assert "has another package" in trade.becomes("PackageMismatch", "second")
    target = trade.status("second")["targets"][0]
    assert (target["installed"], "packageID" in trade.status("second")) == (False, False)


def test_what_a_peer_has_counts_only_once_it_is_known_what_it_should_be(trade: Trade) -> None:
    trade.space.create_package("there", version="8.0")
    trade.becomes("Installed", "there")
    source = {"configMap": {"name": "later"}}
    trade.space.create_package("unknown", version="8.0", source=source)
    trade.becomes("SourceMissing", "unknown")
    assert trade.status("unknown")["targets"][0]["installed"] is False
    body = {"metadata": {"name": "later"}, "data": FILES}
    trade.space.api.create(trade.space.path("ConfigMap"), body).expect()
    trade.becomes("Installed", "unknown")
    assert trade.status("unknown")["packageID"] == trade.status("there")["packageID"]


def test_sources_that_make_no_package_are_told(trade: Trade) -> None:
    trade.space.create_package("node", version="5.0", language="node")
    assert "no package.json" in trade.becomes("SourceInvalid", "node")


def test_what_only_the_peer_could_have_has_to_be_there(trade: Trade) -> None:
    source = {"installed": {"packageID": f"asset_6.0:{'ab' * 32}"}}
    trade.space.create_package("absent", version="6.0", source=source)
    assert "treadle package push" in trade.becomes("PackageMissing", "absent")


def test_uninstalling_is_not_promised_and_deleting_hangs_for_nobody(trade: Trade) -> None:
    made = trade.space.create_package("removed", version="7.0", deletionPolicy="Uninstall")
    assert "stays on them" in trade.becomes("UninstallNotSupported", "removed", "Removable")
    trade.becomes("Installed", "removed")
    assert "finalizers" not in made["metadata"]
    trade.space.api.delete(trade.space.path("ChaincodePackage", "removed")).expect()
    assert trade.space.find("ChaincodePackage", "removed") is None


def fetched_by(trade: Trade) -> list[str]:
    return [
        each["metadata"]["name"]
        for kind in ("Job", "Secret", "Pod")
        for each in trade.space.all(kind)
        if "treadle.dev/package" in each["metadata"].get("labels", {})
    ]


def nothing_is_left_of_fetching(trade: Trade) -> None:
    wait_until(lambda: not fetched_by(trade), within=60, what="the Job, its pod and Secret gone")


def test_sources_come_out_of_an_image(trade: Trade, machine: Machine, tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    (tmp_path / "node_modules").mkdir()
    for name in ("index.js", "package.json", "node_modules/a.js"):
        (tmp_path / name).write_text("{}")
    machine.node.images["sources"] = Image(folders={"/sources": tmp_path})
    source = {"imageFiles": {"image": "sources", "path": "/sources"}}
    trade.space.create_package("imaged", version="11.0", language="node", source=source)
    trade.becomes("Installed", "imaged")
    files = {"index.js": b"{}", "package.json": b"{}", "node_modules/a.js": b"{}"}
    expected = freeze(package(version="11.0", language="node").spec, files)
    assert trade.status("imaged")["packageID"] == expected.package_id
    nothing_is_left_of_fetching(trade)


def test_an_archive_is_fetched_when_it_is_what_was_promised(trade: Trade, archive: Archive) -> None:
    source = {"archive": {"url": archive.url, "sha256": archive.sha256}}
    trade.space.create_package("archived", version="12.0", source=source)
    trade.becomes("Installed", "archived")
    expected = freeze(package(version="12.0").spec, CONTENTS)
    assert trade.status("archived")["packageID"] == expected.package_id
    nothing_is_left_of_fetching(trade)


def test_what_cannot_be_fetched_is_told_and_fetched_once_it_can(
    trade: Trade, archive: Archive, machine: Machine
) -> None:
    source = {"archive": {"url": archive.url, "sha256": "ab" * 32}}
    trade.space.create_package("other", version="13.0", source=source)
    assert "has SHA-256" in trade.becomes("FetchFailed", "other")
    assert trade.events("other").count("FetchFailed") == 1
    source = {"imageFiles": {"image": "coming", "path": "/sources"}}
    trade.space.create_package("late", version="14.0", source=source)
    assert "cannot fetch image coming" in trade.becomes("FetchFailed", "late")
    source = {"imageFiles": {"image": "stock", "path": "/none"}}
    trade.space.create_package("none", version="15.0", source=source)
    assert "/none/." in trade.becomes("FetchFailed", "none")
    machine.node.images["coming"] = Image(folders={"/sources": archive.folder})
    trade.becomes("Installed", "late")


@pytest.mark.long
def test_vendored_sources_of_ninety_mebibytes_are_installed(
    trade: Trade, machine: Machine, tmp_path: Path
) -> None:
    tmp_path.chmod(0o755)
    (tmp_path / "chaincode.py").write_text("print()\n")
    for index in range(9):
        (tmp_path / f"wheel{index}.whl").write_bytes(random.Random(index).randbytes(10 << 20))
    machine.node.images["large"] = Image(folders={"/sources": tmp_path})
    source = {"imageFiles": {"image": "large", "path": "/sources"}}
    for version in ("90", "91"):
        trade.space.create_package(f"large-{version}", version=version, source=source)
    for version in ("90", "91"):
        trade.becomes("Installed", f"large-{version}", within=200)
    assert trade.operator.most_memory < memory_limit()
    assert "not working any more" not in trade.operator.started.text(), "it has lost its lease"
    (tmp_path / "more.whl").write_bytes(bytes(11 << 20))
    trade.space.create_package("larger", version="101.0", source=source)
    assert "a peer takes at most" in trade.becomes("FetchFailed", "larger", within=200)
