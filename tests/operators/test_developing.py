"""Which chaincodes of a Peer developers run, and who may not."""

from __future__ import annotations

from datetime import timedelta

import pytest
from harness.operating.chaincodes import instantiation, package
from harness.operating.stored import peer
from treadle_operator.errors import Blocked
from treadle_operator.model.developing import DevelopmentPolicy
from treadle_operator.reconcile.developing import check_mode
from treadle_operator.reconcile.developments import policies_of

EARLY, LATE = "2026-11-01T12:00:00Z", "2026-11-02T12:00:00Z"
DEVELOPMENT = {"mode": "Development"}
PACKAGE = package()
CCID = f"{PACKAGE.spec.name}:{PACKAGE.spec.version}"


def line(name: str) -> str:
    return f"treadle dev connect {name} -n trade -- <command>"


def test_the_oldest_claim_says_who_runs_a_chaincode() -> None:
    developed = instantiation("older", EARLY, **DEVELOPMENT, runtime={"executeTimeout": "90s"})
    other = instantiation("newer", LATE, channel="second")
    expected = DevelopmentPolicy(
        ccid=CCID,
        execute_timeout=timedelta(seconds=90),
        start_line=line("older"),
        holders=(developed.meta.uid,),
    )
    assert policies_of(peer(), [other, developed], [PACKAGE]) == [expected]
    produced = instantiation("oldest", EARLY, channel="third")
    late = instantiation("developed", LATE, **DEVELOPMENT)
    assert policies_of(peer(), [produced, late], [PACKAGE]) == []


def test_certificates_are_for_each_that_has_the_chaincode_developed() -> None:
    first, second = (
        instantiation("a", **DEVELOPMENT),
        instantiation("b", channel="b", **DEVELOPMENT),
    )
    (policy,) = policies_of(peer(), [first, second], [PACKAGE])
    assert policy.holders == tuple(sorted([first.meta.uid, second.meta.uid]))
    assert len(set(policy.holders)) == 2
    (policy,) = policies_of(peer(), [second], [PACKAGE])
    assert policy.holders == (second.meta.uid,)


def test_no_bound_of_the_peer_holds_for_a_developer() -> None:
    at = peer(chaincode={"executeTimeout": "10s", "runtimeDefaults": {"executeTimeout": "20s"}})
    (policy,) = policies_of(at, [instantiation(**DEVELOPMENT)], [PACKAGE])
    assert policy.execute_timeout is None


def test_a_peer_in_mode_development_leaves_all_to_developers() -> None:
    at = peer(mode="Development")
    assert [policy.ccid for policy in policies_of(at, [instantiation()], [PACKAGE])] == [CCID]


@pytest.mark.parametrize("wanting", [[], [instantiation()]], ids=["nobody", "production"])
def test_what_nobody_wants_developed_is_not_in_the_set(wanting: list[object]) -> None:
    assert policies_of(peer(), wanting, [PACKAGE]) == []  # type: ignore[arg-type]


def test_a_package_of_other_peers_is_not_this_ones() -> None:
    assert policies_of(peer("peer7"), [instantiation(**DEVELOPMENT)], [PACKAGE]) == []


def test_a_peer_that_does_not_allow_it_leaves_nothing_to_developers() -> None:
    one, at = instantiation(**DEVELOPMENT), peer(allowDevelopment=False)
    assert policies_of(at, [one], [PACKAGE]) == []
    with pytest.raises(Blocked, match=r"its spec\.allowDevelopment is false") as blocked:
        check_mode(one, at)
    assert blocked.value.reason == "DevelopmentNotAllowed"
    check_mode(one, peer())


def test_a_peer_in_mode_development_runs_nothing_itself() -> None:
    with pytest.raises(Blocked, match="all its chaincodes are run by developers") as blocked:
        check_mode(instantiation(mode="Production"), peer(mode="Development"))
    assert blocked.value.reason == "NotSupported"
