"""What the targets of an instantiation add up to."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from treadle_operator.model import Mode
from treadle_operator.model.peering import Origin, Runtime, State
from treadle_operator.reconcile.requiring import retry_after
from treadle_operator.reconcile.targets import Target as PackageTarget
from treadle_operator.reconcile.targets import servers_not_allowed, status_of
from treadle_operator.reconcile.verdicts import (
    Problem,
    Stage,
    Target,
    conditions_of,
    runtime_problem,
    stopped_conditions,
)

GOOD = Target("peer0", Mode.PRODUCTION, registered=True, initialised=True)


def row(state: State, message: str = "") -> Runtime:
    return Runtime(
        ccid="asset:1",
        name="asset",
        version="1",
        language="golang",
        package_sha256="",
        origin=Origin.OPERATOR,
        state=state,
        message=message,
        instances=0,
        output_sha256="",
        attempt=1,
        since=datetime.now(UTC),
    )


def told(*targets: Target) -> dict[str, tuple[bool | None, str]]:
    found = conditions_of(targets, "asset:1", "mychannel")
    return {one.type: (one.status, one.reason) for one in found}


def bad(stage: Stage, reason: str, *, registered: bool = False) -> Target:
    target = Target("peer1", Mode.PRODUCTION, registered=registered)
    target.problem = Problem(stage, reason, f"because of {reason}")
    return target


@pytest.mark.parametrize(
    ("state", "message", "reason", "said"),
    [
        (State.REQUIRED, "", "RuntimeRequired", "waiting to be built"),
        (State.BUILDING, "", "RuntimeBuilding", "is being built"),
        (State.STARTING, "pulling an image", "RuntimeStarting", "pulling an image"),
        (State.FAILED, "the build ended with exit code 1", "BuildFailed", "exit code 1"),
        (State.FAILED, "the build failed: gone", "BuildFailed", "gone"),
        (State.FAILED, "the builder did not come to its end within 9 s", "BuildFailed", "9 s"),
        (State.FAILED, "store: nothing to start", "BuildFailed", "nothing to start"),
        (State.FAILED, "cannot fetch image a/b:1: no", "ImagePullFailed", "a/b:1"),
        (State.FAILED, "container chaincode ended with exit code 2", "CrashLoop", "code 2"),
        (State.FAILED, "no node takes the pod: 0/1", "Unschedulable", "0/1"),
        (State.FAILED, "no pod can be made: quota", "PodNotStarted", "quota"),
        (State.FAILED, "cannot start container chaincode: no", "PodNotStarted", "no"),
        (State.FAILED, "dial: the chaincode server at a:1 does not", "ServerUnreachable", "a:1"),
        (State.FAILED, "dial: the peer refused the chaincode: no", "PodNotStarted", "refused"),
        (State.FAILED, servers_not_allowed("peer0"), "ServersNotAllowed", "allowExternalServers"),
        (State.FAILED, "there is no Secret tls", "SecretMissing", "tls"),
        (State.FAILED, "Secret tls is not for chaincode; if", "SecretNotReadable", "tls"),
        (State.FAILED, "not registered in time", "RuntimeFailed", "not registered in time"),
        (State.FAILED, "", "RuntimeFailed", "does not run"),
        (State.STOPPED, "", "RuntimeStopped", "asked for again"),
    ],
)
def test_what_a_peer_tells_of_a_runtime_becomes_a_reason(
    state: State, message: str, reason: str, said: str
) -> None:
    problem = runtime_problem(row(state, message))
    assert problem is not None
    assert problem.reason == reason
    assert said in problem.message


def test_a_registered_runtime_is_in_nobodys_way() -> None:
    assert runtime_problem(row(State.REGISTERED)) is None


def test_everything_is_ready_only_if_every_target_is() -> None:
    assert told(GOOD, GOOD) == {
        "Ready": (True, "ChaincodeReady"),
        "RuntimeReady": (True, "Registered"),
        "Instantiated": (True, "Committed"),
    }
    assert told(GOOD, bad(Stage.RUNTIME, "RuntimeBuilding")) == {
        "Ready": (False, "RuntimeBuilding"),
        "RuntimeReady": (False, "RuntimeBuilding"),
        "Instantiated": (False, "Waiting"),
    }
    assert told(GOOD, bad(Stage.DEFINITION, "InitFailed", registered=True)) == {
        "Ready": (False, "InitFailed"),
        "RuntimeReady": (True, "Registered"),
        "Instantiated": (False, "InitFailed"),
    }


def test_a_fault_is_told_before_what_is_only_on_its_way() -> None:
    waiting, failed = bad(Stage.RUNTIME, "RuntimeBuilding"), bad(Stage.RUNTIME, "BuildFailed")
    assert told(waiting, failed)["Ready"] == (False, "BuildFailed")
    assert told(failed, waiting)["Ready"] == (False, "BuildFailed")


def test_a_runtime_that_ends_leaves_the_definition_what_it_is() -> None:
    lost = Target("peer0", Mode.PRODUCTION, initialised=True)
    lost.problem = Problem(Stage.RUNTIME, "RuntimeStarting", "no process is connected")
    assert told(lost)["Instantiated"] == (True, "Committed")
    assert told(lost)["Ready"] == (False, "RuntimeStarting")


def test_who_is_not_looked_at_is_not_ready_and_its_ledger_is_not_guessed() -> None:
    for known, status in ((True, None), (False, False)):
        ready, instantiated = stopped_conditions("PackageMissing", "create it", known=known)
        assert (ready.status, ready.reason, ready.told) == (False, "PackageMissing", "Warning")
        assert instantiated.status is status


def test_development_asks_for_a_developer_and_not_for_a_runtime() -> None:
    target = Target("peer0", Mode.DEVELOPMENT, registered=True, initialised=True)
    assert set(told(target)) == {"Ready", "Instantiated", "DeveloperConnected"}
    assert set(told(target, GOOD)) == {
        "Ready",
        "Instantiated",
        "DeveloperConnected",
        "RuntimeReady",
    }


def test_what_is_only_on_its_way_warns_nobody() -> None:
    for reason, kind in (("RuntimeBuilding", "Normal"), ("BuildFailed", "Warning")):
        found = conditions_of([bad(Stage.RUNTIME, reason)], "asset:1", "mychannel")
        (ready,) = (one for one in found if one.type == "Ready")
        assert ready.told == kind


def test_a_target_shows_what_is_in_the_way() -> None:
    assert GOOD.row() == {
        "peer": "peer0",
        "mode": "Production",
        "registered": True,
        "initialised": True,
    }
    assert bad(Stage.RUNTIME, "BuildFailed").row()["message"] == "because of BuildFailed"
    assert "mode" not in Target("peer0").row()


@pytest.mark.parametrize(
    ("built", "seconds"),
    [(True, [10, 10, 20, 40, 300, 300]), (False, [60, 60, 120, 240, 1920, 3600])],
)
def test_a_failed_runtime_rests_ever_longer_and_longest_after_a_build(
    built: bool, seconds: list[float]
) -> None:
    found = [retry_after(attempt, built=built) for attempt in (0, 1, 2, 3, 6, 99)]
    assert [each / timedelta(seconds=1) for each in found] == seconds


def test_what_a_chaincode_says_at_length_is_cut_to_what_a_status_can_hold() -> None:
    long = Target("peer1", Mode.PRODUCTION)
    long.problem = Problem(Stage.DEFINITION, "InitFailed", "no " * 100_000)
    assert len(str(long.row()["message"])) <= 1024
    (row,) = status_of([PackageTarget("peer1", "InstallFailed", "no " * 100_000)])
    assert len(str(row["message"])) <= 1024
