"""What is in the way of a definition is told in the condition, and is mended by what it says.

One chaincode, built once; each test has a channel of its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from harness.nodes.machine import Machine
from harness.operating.fixtures import is_quiet
from harness.operating.operated import Operated, go_files, new_operated, package_of
from harness.operating.process import OperatorProcess
from harness.processes import wait_until
from treadle_fabric.client import Deployment
from treadle_operator.names import runtime_name

pytestmark = [
    pytest.mark.kubernetes,
    pytest.mark.process_node,
    pytest.mark.toolchain("go"),
]

KIND = "ChaincodeInstantiation"
CCID = "asset:1.0"
INIT = {"args": ["init", "a", "100", "b", "50"]}
CHANNELS = ("adopted", "changed", "doubled", "failing", "first", "shared", "unnamed")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("definitions")


@pytest.fixture(scope="module")
def running(machine: Machine, folder: Path) -> Iterator[tuple[Operated, OperatorProcess]]:
    """With asset-1.0 instantiated on the channel ``first``."""
    made = new_operated(machine)
    with made.start(folder, name="operator") as process:
        made.space.create_peer(channels=[{"name": name} for name in CHANNELS])
        spec = package_of(go_files(), name="asset", version="1.0")
        made.space.create_package("asset-1.0", **spec)
        made.instantiate("first", "asset-1.0", channel="first", init=INIT)
        made.ready(KIND, "first", within=240)
        yield made, process


@pytest.fixture(scope="module")
def trade(running: tuple[Operated, OperatorProcess]) -> Operated:
    return running[0]


def delete(trade: Operated, name: str) -> None:
    trade.space.api.delete(trade.space.path(KIND, name)).expect()


def test_the_status_tells_what_runs_where(trade: Operated) -> None:
    status = trade.space.get(KIND, "first")["status"]
    assert status["legacyID"] == CCID
    assert status["targets"] == [
        {"peer": "peer0", "mode": "Production", "registered": True, "initialised": True}
    ]
    kinds = {each["type"]: each["status"] for each in status["conditions"]}
    assert kinds == {"Ready": "True", "RuntimeReady": "True", "Instantiated": "True"}
    row = {"ccid": CCID, "state": "Registered", "origin": "Operator", "mode": "Production"}
    wait_until(
        lambda: trade.space.get("Peer", "peer0")["status"]["runtimes"] == [row],
        within=30,
        what="the runtime in the Peer's status",
    )
    events = trade.events(KIND, "first")
    assert events.count("ChaincodeReady") == events.count("Committed") == 1


@pytest.mark.parametrize(
    ("reason", "spec", "says"),
    [
        ("PolicyInvalid", {"endorsementPolicy": "OR('Org1MSP.nobody')"}, "spec.endorsementPolicy"),
        ("ChannelMissing", {"channel": "nowhere"}, "add it to spec.channels"),
        ("NotSupported", {"lifecycle": "V2"}, "legacy lifecycle only"),
        ("RuntimeConflict", {"mode": "Development"}, "its spec.mode is another one"),
    ],
)
def test_what_cannot_be_is_refused_with_what_to_do(
    trade: Operated, reason: str, spec: dict[str, str], says: str
) -> None:
    trade.instantiate("wrong", "asset-1.0", **{"channel": "unnamed", **spec})
    assert says in trade.becomes(KIND, "wrong", reason, within=30)
    assert reason in trade.events(KIND, "wrong")
    delete(trade, "wrong")


def test_a_package_that_is_missing_is_waited_for(trade: Operated) -> None:
    trade.instantiate("early", "later-1.0", channel="unnamed")
    said = trade.becomes(KIND, "early", "PackageMissing", within=30)
    assert "there is no ChaincodePackage later-1.0" in said
    spec = package_of(go_files(), name="later", version="1.0")
    trade.space.create_package("later-1.0", **spec)
    wait_until(
        lambda: trade.reason(KIND, "early")[1].startswith("Runtime"), within=30, what="its turn"
    )
    delete(trade, "early")
    wait_until(
        lambda: (
            runtime_name("peer0", "later:1.0") not in trade.deployments()
            and len(trade.space.get("Peer", "peer0")["status"]["runtimes"]) == 1
        ),
        within=30,
        what="its runtime being released",
    )


def test_an_init_that_fails_writes_nothing_and_says_why(trade: Operated) -> None:
    trade.instantiate("failing", "asset-1.0", channel="failing", init={"args": ["init", "a", "x"]})
    said = trade.becomes(KIND, "failing", "InitFailed", within=30)
    assert "must be a whole number: x" in said
    assert trade.reason(KIND, "failing", "RuntimeReady")[0] == "True"
    assert trade.height("failing") == 1
    delete(trade, "failing")
    trade.instantiate("repaired", "asset-1.0", channel="failing", init=INIT)
    trade.ready(KIND, "repaired", within=30)
    assert trade.height("failing") == 2


def test_a_policy_changes_only_with_the_version(trade: Operated) -> None:
    trade.instantiate("changed", "asset-1.0", channel="changed", init=INIT)
    trade.ready(KIND, "changed", within=30)
    trade.change(KIND, "changed", endorsementPolicy="OR('Org1MSP.peer')")
    said = trade.becomes(KIND, "changed", "NewVersionRequired", within=30)
    assert "another endorsementPolicy" in said
    trade.change(KIND, "changed", endorsementPolicy="OR('Org1MSP.member')")
    trade.ready(KIND, "changed", within=30)
    assert trade.height("changed") == 2
    trade.space.create_package("other-1.0", name="other")
    trade.change(KIND, "changed", packageRef={"name": "other-1.0"})
    said = trade.becomes(KIND, "changed", "ChaincodeNameChanged", within=30)
    assert "put packageRef back" in said
    trade.change(KIND, "changed", packageRef={"name": "asset-1.0"})
    trade.ready(KIND, "changed", within=30)


def test_the_older_of_two_wins_and_the_newer_takes_over_without_another_init(
    trade: Operated,
) -> None:
    trade.instantiate("older", "asset-1.0", channel="doubled", init=INIT)
    trade.ready(KIND, "older", within=30)
    trade.invoke("asset", "transfer", "a", "b", "1", channel="doubled")
    trade.instantiate("younger", "asset-1.0", channel="doubled", init=INIT)
    assert "older is older" in trade.becomes(KIND, "younger", "Duplicate", within=30)
    height = trade.height("doubled")
    delete(trade, "older")
    trade.ready(KIND, "younger", within=30)
    assert trade.height("doubled") == height


def test_who_shares_a_runtime_wants_the_same_of_it(trade: Operated) -> None:
    trade.instantiate("shared", "asset-1.0", channel="shared", init=INIT, runtime={"replicas": 2})
    said = trade.becomes(KIND, "shared", "RuntimeConflict", within=30)
    assert "ChaincodeInstantiation first" in said
    trade.change(KIND, "shared", runtime=None)
    trade.ready(KIND, "shared", within=30)
    assert trade.deployments() == [runtime_name("peer0", CCID)]


def test_what_a_client_has_instantiated_is_adopted(trade: Operated) -> None:
    args = tuple(argument.encode() for argument in INIT["args"])
    deployment = Deployment(name="asset", version="1.0", args=args)
    trade.ask(lambda client: client.channel("adopted").instantiate(deployment))
    trade.instantiate("adopted", "asset-1.0", channel="adopted", init=INIT)
    trade.ready(KIND, "adopted", within=30)
    assert trade.height("adopted") == 2


def versions(trade: Operated) -> dict[str, str]:
    """What every write of an object changes."""
    kinds = (KIND, "Peer", "ChaincodePackage", "StatefulSet", "Secret", "ConfigMap", "Service")
    return {
        f"{kind}/{each['metadata']['name']}": each["metadata"]["resourceVersion"]
        for kind in kinds
        for each in trade.space.all(kind)
    }


def test_an_operator_that_starts_again_writes_nothing(
    running: tuple[Operated, OperatorProcess], folder: Path
) -> None:
    trade, process = running
    process.started.kill()
    before, height = versions(trade), trade.height("first")
    with trade.start(folder, name="again") as again:
        is_quiet(again, reconciles=len(trade.space.all(KIND)) + 3)
        assert versions(trade) == before
    assert trade.height("first") == height


def test_a_runtime_goes_with_its_last_claim_also_when_nobody_saw_it_go(
    running: tuple[Operated, OperatorProcess], folder: Path
) -> None:
    trade, _ = running
    names = [each["metadata"]["name"] for each in trade.space.all(KIND)]
    assert len(names) > 1
    with trade.start(folder, name="second") as second:
        for name in names[1:]:
            delete(trade, name)
        is_quiet(second, reconciles=len(names))
        assert trade.deployments() == [runtime_name("peer0", CCID)]
        second.started.kill()
    delete(trade, names[0])
    with trade.start(folder, name="third"):
        wait_until(
            lambda: "runtimes" not in trade.space.get("Peer", "peer0")["status"],
            within=60,
            what="the runtime being released",
        )
        wait_until(lambda: not trade.deployments(), within=60, what="no Deployment")
    assert trade.events("Peer", "peer0").count("RuntimeReleased") == 2
