"""Signature policies against two models: Fabric's algorithm, and any possible assignment."""

from __future__ import annotations

from itertools import permutations

import pytest
from fabric_protos.common.policies_pb2 import SignaturePolicy, SignaturePolicyEnvelope
from fabric_protos.msp.msp_principal_pb2 import MSPRole
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from treadle_fabric.identity import GeneratedOrganization
from treadle_fabric.policy import (
    PolicyError,
    SignedData,
    accept_all,
    compile_signature_policy,
    n_out_of,
    parse_policy,
    reject_all,
    role_principal,
    signed_by,
    signed_by_any_admin,
    signed_by_any_member,
    verified_identities,
)

# The fixture is only read.
reading = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
WHO = [(msp_id, role) for msp_id in "AB" for role in ("peer", "admin", "client")]
PRINCIPALS = [(msp_id, role) for msp_id in "AB" for role in ("MEMBER", "PEER", "ADMIN", "CLIENT")]
RULES = st.recursive(
    st.integers(0, len(PRINCIPALS) - 1).map(signed_by),
    lambda inner: st.builds(n_out_of, st.integers(0, 4), st.lists(inner, min_size=0, max_size=3)),
    max_leaves=8,
)


def envelope(rule: SignaturePolicy) -> SignaturePolicyEnvelope:
    principals = [role_principal(m, MSPRole.MSPRoleType.Value(role)) for m, role in PRINCIPALS]
    return SignaturePolicyEnvelope(rule=rule, identities=principals)


def matches(who: tuple[str, str], principal: tuple[str, str]) -> bool:
    return who[0] == principal[0] and principal[1] in ("MEMBER", who[1].upper())


def fabric(rule: SignaturePolicy, who: list[tuple[str, str]], used: list[bool]) -> bool:
    """Fabric's evaluation, with its list of used flags that each gate copies."""
    if rule.WhichOneof("Type") == "signed_by":
        for position, each in enumerate(who):
            if not used[position] and matches(each, PRINCIPALS[rule.signed_by]):
                used[position] = True
                return True
        return False
    satisfied = 0
    for each in rule.n_out_of.rules:
        attempt = list(used)
        if fabric(each, who, attempt):
            satisfied += 1
            used[:] = attempt
    return satisfied >= rule.n_out_of.n


def demands(rule: SignaturePolicy) -> list[list[int]]:
    """Every minimal list of principals that satisfies the rule, by brute force."""
    if rule.WhichOneof("Type") == "signed_by":
        return [[rule.signed_by]]
    found: list[list[list[int]]] = [[] for _ in range(len(rule.n_out_of.rules) + 1)]
    found[0] = [[]]
    for each in rule.n_out_of.rules:
        options = demands(each)
        for count in reversed(range(len(rule.n_out_of.rules))):
            found[count + 1] += [old + new for old in found[count] for new in options]
    return [list(each) for each in {tuple(sorted(x)) for x in sum_from(found, rule.n_out_of.n)}]


def sum_from(found: list[list[list[int]]], needed: int) -> list[list[int]]:
    return [each for count in found[max(needed, 0) :] for each in count]


def possible(rule: SignaturePolicy, who: list[tuple[str, str]]) -> bool:
    """Whether any assignment of distinct identities satisfies the rule."""
    return any(
        all(matches(each, PRINCIPALS[wanted]) for each, wanted in zip(order, demand, strict=True))
        for demand in demands(rule)
        if len(demand) <= len(who)
        for order in permutations(who, len(demand))
    )


def satisfied(network, rule: SignaturePolicy, who: list[tuple[str, str]]) -> bool:
    policy = compile_signature_policy(envelope(rule), network.msps)
    try:
        policy.evaluate_identities([network.identities[each] for each in who])
    except PolicyError:
        return False
    return True


@reading
@given(rule=RULES, who=st.lists(st.sampled_from(WHO), unique=True))
def test_it_decides_as_fabric_does(network, rule, who) -> None:
    assert satisfied(network, rule, who) == fabric(rule, who, [False] * len(who))


@reading
@given(rule=RULES, who=st.lists(st.sampled_from(WHO), unique=True, max_size=4))
def test_it_never_accepts_what_no_assignment_could(network, rule, who) -> None:
    if satisfied(network, rule, who):
        assert possible(rule, who)


def test_it_is_greedy_and_never_goes_back(network) -> None:
    # The member rule takes the admin, and nobody is left for the admin rule.
    rule = n_out_of(2, [signed_by(0), signed_by(2)])
    admin, peer = ("A", "admin"), ("A", "peer")
    assert possible(rule, [admin, peer])
    assert not satisfied(network, rule, [admin, peer])
    assert satisfied(network, rule, [peer, admin])


def test_rules_beyond_n_take_identities_too(network) -> None:
    # The inner "1 of 2" is satisfied by its first rule, yet its second one takes B's admin.
    inner = n_out_of(1, [signed_by(0), signed_by(4)])
    rule = n_out_of(2, [inner, signed_by(6)])
    assert not satisfied(network, rule, [("A", "peer"), ("B", "admin")])


def test_a_repeated_identity_counts_once(network) -> None:
    rule = n_out_of(2, [signed_by(0), signed_by(0)])
    peer = ("A", "peer")
    assert not satisfied(network, rule, [peer, peer])
    policy = compile_signature_policy(envelope(rule), network.msps)
    with pytest.raises(PolicyError):
        policy.evaluate(network.signed(peer, peer))
    policy.evaluate(network.signed(peer, ("A", "client")))


def test_signatures_that_do_not_verify_are_left_out(network) -> None:
    policy = compile_signature_policy(parse_policy("OR('A.peer')"), network.msps)
    (good,) = network.signed(("A", "peer"))
    (other,) = network.signed(("A", "client"))
    stranger = GeneratedOrganization.generate(msp_id="A", domain="a.example.com").issue_identity(
        "peer", "peer"
    )
    unusable = [
        SignedData(b"other data", good.identity, good.signature),
        SignedData(good.data, good.identity, other.signature),
        SignedData(good.data, b"\xff", good.signature),
        SignedData(good.data, stranger.serialize(), stranger.sign(good.data)),
    ]
    with pytest.raises(PolicyError, match=r"^signature set did not satisfy policy$"):
        policy.evaluate(unusable)
    policy.evaluate([*unusable, good])


def test_a_bad_signature_does_not_hide_a_later_good_one(network) -> None:
    (good,) = network.signed(("A", "peer"))
    bad = SignedData(good.data, good.identity, b"bad")
    assert len(verified_identities([bad, good, good, bad], network.msps)) == 1


def test_all_and_nothing(network) -> None:
    compile_signature_policy(accept_all(), network.msps).evaluate([])
    with pytest.raises(PolicyError):
        compile_signature_policy(reject_all(), network.msps).evaluate(network.signed(*WHO))


def test_any_member_and_any_admin(network) -> None:
    assert signed_by_any_member(["B", "A"]) == signed_by_any_member(["A", "B"])
    members = compile_signature_policy(signed_by_any_member(["B", "A"]), network.msps)
    admins = compile_signature_policy(signed_by_any_admin(["A"]), network.msps)
    members.evaluate(network.signed(("B", "client")))
    admins.evaluate(network.signed(("B", "admin"), ("A", "admin")))
    with pytest.raises(PolicyError):
        admins.evaluate(network.signed(("A", "peer"), ("B", "admin")))


def test_the_written_form_of_any_member_is_the_same_policy() -> None:
    assert signed_by_any_member(["B", "A"]) == parse_policy("OR('A.member', 'B.member')")


@pytest.mark.parametrize(
    ("policy", "text"),
    [
        (SignaturePolicyEnvelope(), "Empty policy element"),
        (
            SignaturePolicyEnvelope(version=1, rule=signed_by(0)),
            "only understands messages of version 0, but version was 1",
        ),
        (
            SignaturePolicyEnvelope(rule=signed_by(1), identities=[role_principal("A", 0)]),
            "identity index out of range, requested 1, but identities length is 1",
        ),
        (SignaturePolicyEnvelope(rule=signed_by(-1)), "requested -1, but identities length is 0"),
        (SignaturePolicyEnvelope(rule=SignaturePolicy()), "Unknown type"),
        (SignaturePolicyEnvelope(rule=n_out_of(1, [SignaturePolicy()])), "Unknown type"),
    ],
)
def test_envelopes_without_meaning_are_refused(network, policy, text: str) -> None:
    with pytest.raises(PolicyError) as caught:
        compile_signature_policy(policy, network.msps)
    assert text in str(caught.value)
