"""How long an Init may take, and what the failures of a deploy are called."""

from __future__ import annotations

from datetime import timedelta

import pytest
from harness.operating.chaincodes import instantiation, package
from harness.operating.stored import peer
from treadle_operator.definitions import Wanted
from treadle_operator.errors import PeerRefused
from treadle_operator.model import Mode
from treadle_operator.reconcile.deploying import (
    Wish,
    execute_timeout,
    init_seconds,
    is_overtaken,
    refusal,
)

PREFIX = "error in simulation: "


@pytest.mark.parametrize(
    ("spec", "least", "most"),
    [
        ({}, 60, 60),
        ({"chaincode": {"executeTimeout": "1s"}}, 60, 60),
        ({"chaincode": {"executeTimeout": "90s"}}, 91, 150),
        ({"chaincode": {"executeTimeout": "2h"}}, 7201, 7300),
        ({"mode": "Development"}, 1800, 7200),
        ({"mode": "Development", "chaincode": {"executeTimeout": "90s"}}, 91, 150),
    ],
)
def test_an_init_has_longer_than_its_peer_gives_it(
    spec: dict[str, object], least: float, most: float
) -> None:
    made = peer(**spec)
    found = init_seconds(made, None, made.spec.mode)
    assert least <= found <= most


@pytest.mark.parametrize(
    ("defaults", "runtime", "expected"),
    [
        (None, None, None),
        ("90s", None, timedelta(seconds=90)),
        ("90s", "1h30m", timedelta(minutes=90)),
        (None, "200ms", timedelta(seconds=1)),
    ],
)
def test_a_runtimes_own_bound_comes_before_its_peers(
    defaults: str | None, runtime: str | None, expected: timedelta | None
) -> None:
    settings = {} if defaults is None else {"executeTimeout": defaults}
    at = peer(chaincode={"executeTimeout": "10s", "runtimeDefaults": settings})
    wanting = instantiation(runtime={} if runtime is None else {"executeTimeout": runtime})
    wish = Wish(instantiation=wanting, package=package(), definition=Wanted(None, b""))
    found = execute_timeout(wish, at, Mode.PRODUCTION)
    assert found == expected
    least = 60 if expected is None else expected.total_seconds()
    assert init_seconds(at, found, Mode.PRODUCTION) >= least


@pytest.mark.parametrize(
    ("own", "expected", "least"), [(None, None, 1800), ("90s", timedelta(seconds=90), 90)]
)
def test_what_a_peer_gives_its_own_processes_bounds_no_developer(
    own: str | None, expected: timedelta | None, least: float
) -> None:
    settings = {"executeTimeout": "20s"}
    at = peer(chaincode={"executeTimeout": "10s", "runtimeDefaults": settings})
    wanting = instantiation(runtime={} if own is None else {"executeTimeout": own})
    wish = Wish(instantiation=wanting, package=package(), definition=Wanted(None, b""))
    found = execute_timeout(wish, at, Mode.DEVELOPMENT)
    assert found == expected
    assert init_seconds(at, found, Mode.DEVELOPMENT) >= least


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        (f"{PREFIX}transaction returned with failure: no such account", "InitFailed"),
        (f"{PREFIX}Init answered with status 500: no", "InitFailed"),
        (
            f"{PREFIX}transaction returned with failure: timeout expired while executing "
            "transaction",
            "InitFailed",
        ),
        (
            f"{PREFIX}failed to execute transaction 4f: error sending: timeout expired while "
            "executing transaction",
            "InitTimedOut",
        ),
        (
            f"{PREFIX}failed to execute transaction 4f: error sending: chaincode stream terminated",
            "InitInterrupted",
        ),
        (
            f"{PREFIX}could not launch chaincode asset:1.0: still starting (4 s); try again",
            "InitInterrupted",
        ),
        (
            f"{PREFIX}failed to execute transaction 4f: chaincode asset:1.0 has 8 transactions "
            "under way, as many as one chaincode may have; try again when it has answered some",
            "InstantiationRefused",
        ),
        ("access denied for [deploy]", "InstantiationRefused"),
    ],
)
def test_only_the_chaincodes_own_answer_is_a_failed_init(said: str, reason: str) -> None:
    problem = refusal(PeerRefused("500", said))
    assert problem.reason == reason
    assert said.removeprefix(PREFIX) in problem.message


def test_who_was_overtaken_reads_the_ledger_again() -> None:
    text = "the transaction was ordered, but is invalid: MVCC_READ_CONFLICT"
    assert is_overtaken(PeerRefused("MVCC_READ_CONFLICT", text))
    assert not is_overtaken(PeerRefused("ENDORSEMENT_POLICY_FAILURE", text))
