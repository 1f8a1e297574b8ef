"""Packages on real peers in pods, by an operator that may do only what its Role says."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
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
FROZEN = freeze(package().spec, {name: text.encode() for name, text in FILES.items()})


@dataclass(frozen=True, slots=True)
class Trade:
    """A namespace with an operator and a ready peer0."""

    space: Namespace
    operator: OperatorProcess

    def reason(self, name: str = "asset-1.0", condition: str = "Ready") -> str:
        return self.space.condition(condition, name, of="ChaincodePackage")[1]

    def becomes(self, reason: str, name: str = "asset-1.0", condition: str = "Ready") -> str:
        """The message once the condition has that reason."""
        wait_until(
            lambda: self.reason(name, condition) == reason,
            within=60,
            what=f"{reason} of {name}, not {self.reason(name, condition)}",
        )
        return self.space.condition(condition, name, of="ChaincodePackage")[2]

    def status(self, name: str = "asset-1.0") -> dict[str, Any]:
        found: dict[str, Any] = self.space.get("ChaincodePackage", name)["status"]
        return found

    def events(self, name: str = "asset-1.0") -> list[str]:
        return [
            each["reason"]
            for each in self.space.all("Event")
            if each["involvedObject"]["kind"] == "ChaincodePackage"
            and each["involvedObject"]["name"] == name
        ]

    def config_map(self, text: str) -> None:
        body = {"metadata": {"name": "code"}, "data": {"chaincode.py": text}}
        self.space.api.create(self.space.path("ConfigMap"), body).expect()

    def change_config_map(self, text: str) -> None:
        change = {"data": {"chaincode.py": text}}
        self.space.api.merge(self.space.path("ConfigMap", "code"), change).expect()


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
    assert trade.reason("mapped") == "Installed"
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
