"""A Go chaincode from its sources to transactions, on to a second channel, a new version, and away.

Each test takes the chaincode from where the one before has left it.
"""

from __future__ import annotations

import json

import pytest
from harness.operating.operated import Operated, go_files, package_of
from harness.processes import wait_until
from treadle_fabric.client import ClientError

pytestmark = [
    pytest.mark.kubernetes,
    pytest.mark.process_node,
    pytest.mark.toolchain("go"),
]

WITHIN = 240.0  # seconds for a build on a busy machine
KIND = "ChaincodeInstantiation"


def package(trade: Operated, number: str, *changes: tuple[str, str]) -> None:
    """Apply *number* of the Go example as asset-<number>."""
    spec = package_of(go_files(*changes), name="asset", version=number)
    trade.space.create_package(f"asset-{number}", **spec)


def balance(trade: Operated, account: str, channel: str = "mychannel") -> int:
    found: int = json.loads(trade.query("asset", "query", account, channel=channel))["balance"]
    return found


def version(trade: Operated, channel: str = "mychannel") -> str:
    """Which code answers."""
    found: str = json.loads(trade.query("asset", "version", channel=channel))["version"]
    return found


@pytest.fixture(scope="module", autouse=True)
def running(trade: Operated) -> None:
    """Version 1.0 on mychannel."""
    package(trade, "1.0")
    trade.instantiate("asset", "asset-1.0", init={"args": ["init", "a", "100", "b", "50"]})
    trade.ready(KIND, "asset", within=WITHIN)


def test_files_became_a_chaincode_that_answers(trade: Operated) -> None:
    height = trade.height()
    assert height == 2
    trade.invoke("asset", "transfer", "a", "b", "10")
    assert trade.height() == height + 1
    assert (balance(trade, "a"), balance(trade, "b")) == (90, 60)
    status = trade.space.get(KIND, "asset")["status"]
    assert status["legacyID"] == "asset:1.0"
    target = {"peer": "peer0", "mode": "Production", "registered": True, "initialised": True}
    assert status["targets"] == [target]
    assert len(trade.deployments()) == 1


def test_a_second_channel_shares_the_pods(trade: Operated) -> None:
    before = [pod["metadata"]["uid"] for pod in trade.pods("peer0-asset")]
    trade.instantiate(
        "asset-second", "asset-1.0", channel="second", init={"args": ["init", "a", "7"]}
    )
    trade.ready(KIND, "asset-second", within=60)
    assert balance(trade, "a", "second") == 7
    assert len(trade.deployments()) == 1
    after = [pod["metadata"]["uid"] for pod in trade.pods("peer0-asset")]
    assert set(before) >= set(after)


def test_a_chaincode_pod_that_dies_is_replaced(trade: Operated) -> None:
    pods = [pod["metadata"]["name"] for pod in trade.pods(trade.deployments()[0])]
    running = [name for name in pods if "-build-" not in name]
    path = f"/api/v1/namespaces/{trade.space.name}/pods/{running[0]}"
    trade.space.api.request("DELETE", path, {"gracePeriodSeconds": 0}).expect()

    def answers() -> bool:
        try:
            return balance(trade, "a", "second") == 7
        except ClientError:
            return False

    wait_until(answers, within=60, what="an answer of another pod")


def test_an_upgrade_replaces_the_version_where_it_is_asked_for(trade: Operated) -> None:
    package(trade, "2.0", ('const version = "1"', 'const version = "2"'))
    init = {"args": ["init", "c", "1"]}
    trade.change(KIND, "asset", packageRef={"name": "asset-2.0"}, init=init)
    wait_until(
        lambda: trade.space.get(KIND, "asset")["status"].get("legacyID") == "asset:2.0",
        within=WITHIN,
        what="version 2.0",
    )
    trade.ready(KIND, "asset")
    assert version(trade) == "2"
    assert version(trade, "second") == "1"
    assert balance(trade, "a") == 90
    assert len(trade.deployments()) == 2


def test_a_runtime_goes_with_the_last_who_wants_it(trade: Operated) -> None:
    trade.space.api.delete(trade.space.path(KIND, "asset-second")).expect()
    wait_until(lambda: len(trade.deployments()) == 1, within=60, what="one Deployment left")
    assert version(trade) == "2"

    def says_what_to_create() -> bool:
        try:
            version(trade, "second")
        except ClientError as error:
            return "create a ChaincodeInstantiation" in str(error)
        return False

    wait_until(says_what_to_create, within=60, what="a refusal that helps")


def test_what_is_on_the_ledger_is_adopted(trade: Operated) -> None:
    height = trade.height("second")
    trade.instantiate("again", "asset-1.0", channel="second", init={"args": ["init", "a", "7"]})
    trade.ready(KIND, "again", within=WITHIN)
    assert trade.height("second") == height
    assert balance(trade, "a", "second") == 7
