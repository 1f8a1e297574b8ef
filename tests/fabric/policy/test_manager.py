"""Policies by path, and implicit meta policies over sub groups (fabric-wire.md 5.10, 6.5)."""

from __future__ import annotations

import pytest
from fabric_protos.common.configtx_pb2 import ConfigGroup
from fabric_protos.common.policies_pb2 import ImplicitMetaPolicy, Policy, SignaturePolicyEnvelope
from google.protobuf.message import Message
from treadle_fabric.policy import PolicyError, PolicyManager, parse_policy, reject_all

ANY, ALL, MAJORITY = ImplicitMetaPolicy.ANY, ImplicitMetaPolicy.ALL, ImplicitMetaPolicy.MAJORITY
PEERS = [("A", "peer"), ("B", "peer")]


def meta(rule: int, name: str = "Writers") -> ImplicitMetaPolicy:
    return ImplicitMetaPolicy(sub_policy=name, rule=rule)  # type: ignore[arg-type]


def put(group: ConfigGroup, name: str, policy: Message) -> None:
    is_meta = isinstance(policy, ImplicitMetaPolicy)
    group.policies[name].policy.type = Policy.IMPLICIT_META if is_meta else Policy.SIGNATURE
    group.policies[name].policy.value = policy.SerializeToString()


def tree(organizations: list[SignaturePolicyEnvelope], rule: int) -> ConfigGroup:
    """/Channel/Application with one organisation per policy, each with Writers only."""
    root = ConfigGroup()
    application = root.groups["Application"]
    put(root, "Writers", meta(ANY))
    put(application, "Writers", meta(rule))
    put(application, "Special", parse_policy("OR('A.admin')"))
    for number, policy in enumerate(organizations):
        put(application.groups[f"Org{number}"], "Writers", policy)
    return root


def manager(network, organizations: list[SignaturePolicyEnvelope], rule: int) -> PolicyManager:
    return PolicyManager.from_config_group(tree(organizations, rule), network.msps)


A, B, NOBODY = parse_policy("OR('A.peer')"), parse_policy("OR('B.peer')"), reject_all()


@pytest.mark.parametrize(
    ("organizations", "rule", "needed", "reached"),
    [
        ([A, B], ANY, 1, 1),
        ([NOBODY, NOBODY], ANY, 1, 0),
        ([A, B], ALL, 2, 2),
        ([A, NOBODY], ALL, 2, 1),
        ([A, B], MAJORITY, 2, 2),
        ([A, NOBODY], MAJORITY, 2, 1),
        ([A, B, NOBODY], MAJORITY, 2, 2),
        ([A, B, NOBODY, NOBODY], MAJORITY, 3, 2),
        ([], ANY, 0, 0),
        ([], ALL, 0, 0),
        ([], MAJORITY, 0, 0),
    ],
)
def test_any_all_and_majority(network, organizations, rule, needed: int, reached: int) -> None:
    policy = manager(network, organizations, rule).policy("/Channel/Application/Writers")
    if reached >= needed:
        policy.evaluate(network.signed(*PEERS))
        return
    with pytest.raises(PolicyError) as caught:
        policy.evaluate(network.signed(*PEERS))
    assert str(caught.value) == (
        f"implicit policy evaluation failed - {reached} sub-policies were satisfied, but this "
        f"policy requires {needed} of the 'Writers' sub-policies to be satisfied"
    )


def test_the_root_policy_reaches_through_all_groups(network) -> None:
    policy = manager(network, [A, B], ALL).policy("/Channel/Writers")
    policy.evaluate(network.signed(*PEERS))
    with pytest.raises(PolicyError, match="0 sub-policies were satisfied"):
        policy.evaluate(network.signed(("A", "peer")))
    policy.evaluate_identities([network.identities[each] for each in PEERS])


@pytest.mark.parametrize(
    "path",
    ["/Channel/Application/Special", "Application/Special", "/Channel/Application/Org0/Writers"],
)
def test_policies_are_found_by_absolute_and_relative_paths(network, path: str) -> None:
    found = manager(network, [parse_policy("OR('A.admin')")], ANY)
    found.policy(path).evaluate(network.signed(("A", "admin")))
    with pytest.raises(PolicyError, match="signature set did not satisfy policy"):
        found.policy(path).evaluate(network.signed(("B", "admin")))


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/Channel/Application/Readers", "Application/Readers"),
        ("/Channel/Nowhere/Writers", "Nowhere/Writers"),
        ("Application", "Application"),
        ("/Channel", "/Channel"),
        ("/Elsewhere/Writers", "/Elsewhere/Writers"),
        ("/", "/"),
        ("", ""),
    ],
)
def test_a_policy_that_is_not_there_rejects_everything(network, path: str, name: str) -> None:
    found = manager(network, [A], ANY)
    with pytest.raises(PolicyError) as caught:
        found.policy(path).evaluate(network.signed(*PEERS))
    assert str(caught.value) == f"no such policy: '{name}'"
    with pytest.raises(PolicyError):
        found.policy(path).evaluate_identities([])


def test_a_group_without_the_sub_policy_counts_as_a_refusal(network) -> None:
    root = tree([A], ALL)
    put(root.groups["Application"].groups["Org1"], "Readers", B)
    policy = PolicyManager.from_config_group(root, network.msps).policy("Application/Writers")
    with pytest.raises(PolicyError, match="1 sub-policies were satisfied"):
        policy.evaluate(network.signed(*PEERS))


def test_managers_of_groups_know_their_own_path(network) -> None:
    root = manager(network, [A], ANY)
    application = root.manager(["Application"])
    assert application is not None
    assert application.path == "Channel/Application"
    application.policy("Special").evaluate(network.signed(("A", "admin")))
    application.policy("/Channel/Application/Writers").evaluate(network.signed(*PEERS))
    with pytest.raises(PolicyError, match="no such policy: '/Channel/Writers'"):
        application.policy("/Channel/Writers").evaluate_identities([])
    assert root.manager([]) is root
    assert root.manager(["Application", "Nowhere", "Org0"]) is None


def test_all_paths_can_be_listed(network) -> None:
    assert sorted(manager(network, [A], ANY).paths()) == [
        "/Channel/Application/Org0/Writers",
        "/Channel/Application/Special",
        "/Channel/Application/Writers",
        "/Channel/Writers",
    ]


@pytest.mark.parametrize(
    ("policy", "text"),
    [
        (None, "policy Bad at path Channel was nil"),
        (Policy(type=Policy.MSP), "policy Bad at path Channel has unknown policy type: 2"),
        (Policy(type=9), "policy Bad at path Channel has unknown policy type: 9"),
        (
            Policy(type=Policy.SIGNATURE, value=b"\xff"),
            "policy Bad at path Channel did not compile: ",
        ),
        (
            Policy(type=Policy.SIGNATURE),
            "policy Bad at path Channel did not compile: Empty policy element",
        ),
        (
            Policy(type=Policy.IMPLICIT_META, value=b"\xff"),
            "implicit policy Bad at path Channel did not compile: ",
        ),
        (
            Policy(type=Policy.IMPLICIT_META, value=meta(7).SerializeToString()),
            "implicit policy Bad at path Channel did not compile: unknown implicit meta rule 7",
        ),
    ],
)
def test_a_policy_that_does_not_compile_is_named(network, policy, text: str) -> None:
    root = ConfigGroup()
    root.policies["Bad"].mod_policy = "Admins"
    if policy is not None:
        root.policies["Bad"].policy.CopyFrom(policy)
    with pytest.raises(PolicyError) as caught:
        PolicyManager.from_config_group(root, network.msps)
    assert str(caught.value).startswith(text)
