"""The policy language: the same bytes as Fabric's command line (fabric-wire.md 6.5)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from fabric_protos.common.policies_pb2 import SignaturePolicy
from fabric_protos.msp.msp_principal_pb2 import MSPPrincipal, MSPRole
from hypothesis import given
from hypothesis import strategies as st
from treadle_fabric.policy import PolicyError, parse_policy

# Made by Fabric 2.5.9: peer chaincode package -s -S -i <text>, field 2 of the signed package.
FROM_FABRIC = {
    "AND('A.member', OR('B.member','C.admin'))": (
        "12161214080212020802120c120a080112020800120208011a0512030a01421a0712050a014310011a0512030a"
        "0141"
    ),
    "OutOf(2,'A.peer','B.peer', and(\"C.client\"))": (
        "1216121408021202080112020802120812060801120208001a0712050a014310021a0712050a014110031a0712"
        "050a01421003"
    ),
    "OutOf(2,'A.member')": "120812060802120208001a0512030a0141",
    "OutOf(0,'A.member')": "12061204120208001a0512030a0141",
    "OutOf('1','A.member')": "120812060801120208001a0512030a0141",
    "AND(OR('A.member'))": "120e120c0801120812060801120208001a0512030a0141",
    "OR('A-1.x.member')": "120812060801120208001a0912070a05412d312e78",
    "OR('A.member\")": "120812060801120208001a0512030a0141",
}


@pytest.mark.parametrize(("text", "golden"), FROM_FABRIC.items(), ids=FROM_FABRIC)
def test_the_bytes_are_those_of_the_real_command_line(text: str, golden: str) -> None:
    assert parse_policy(text).SerializeToString().hex() == golden


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "invalid policy string ''"),
        ("'A.member'", "invalid policy string ''A.member''"),
        ("7", "invalid policy string '7'"),
        ("AND('A.member'", "Unbalanced parenthesis"),
        ("OR", "Unbalanced parenthesis"),
        ("OR('A.member') x", "invalid policy string"),
        ("OR()", "expected at least two arguments to NOutOf. Given 1"),
        ("OutOf(1)", "expected at least two arguments to NOutOf. Given 1"),
        ("OutOf(3,'A.member')", "invalid t-out-of-n predicate, t 3, n 1"),
        ("OutOf(-1,'A.member')", "invalid t-out-of-n predicate, t -1, n 1"),
        ("OutOf('A.member','B.member')", "expected a number"),
        ("OutOf(OR('A.member'),'B.member')", "expected a number"),
        ("OR('A.member',2)", "expected a principal or a policy, got a number"),
        ("NOR('A.member')", "Undefined function NOR"),
        ("oR('A.member')", "Undefined function oR"),
        ("OR(A.member)", "unrecognized token 'A.member' in policy string"),
        ("OR('A.Member')", "unrecognized token 'A.Member' in policy string"),
        ("OR('A_b.member')", "unrecognized token 'A_b.member' in policy string"),
        ("OR('A.king')", "unrecognized token 'A.king' in policy string"),
        ("OR('A.member' 'B.member')", "unrecognized token ''B.member'' in policy string"),
        ("OR('A.member',)", "unrecognized token ')' in policy string"),
        ("OR['A.member']", "unrecognized token '['A.member']' in policy string"),
        ("(" * 5, "unrecognized token '('"),
        ("AND(" * 500, "nested more than"),
    ],
)
def test_what_is_wrong_is_said(text: str, complaint: str) -> None:
    with pytest.raises(PolicyError) as caught:
        parse_policy(text)
    assert complaint in str(caught.value)


def test_deep_nesting_is_read_as_far_as_messages_can_carry_it() -> None:
    text = "OR(" * 40 + "'A.member'" + ")" * 40
    envelope = parse_policy(text)
    assert envelope.FromString(envelope.SerializeToString()) == envelope
    with pytest.raises(PolicyError, match="nested more than 40 levels"):
        parse_policy(f"OR({text})")


@dataclass(frozen=True)
class Leaf:
    msp_id: str
    role: str


@dataclass(frozen=True)
class Gate:
    needed: int
    rules: tuple[Gate | Leaf, ...]


LEAVES = st.builds(
    Leaf,
    msp_id=st.from_regex(r"[A-Za-z0-9.-]{1,12}", fullmatch=True),
    role=st.sampled_from(["member", "admin", "client", "peer", "orderer"]),
)
GATES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, min_size=1, max_size=4).flatmap(
        lambda rules: st.builds(
            Gate, needed=st.integers(0, len(rules) + 1), rules=st.just(tuple(rules))
        )
    ),
    max_leaves=12,
).map(lambda tree: tree if isinstance(tree, Gate) else Gate(1, (tree,)))


def written(tree: Gate | Leaf, draw: st.DrawFn) -> str:
    """The tree as text, in any spelling that means the same."""
    space = draw(st.sampled_from(["", " ", "\n\t"]))
    if isinstance(tree, Leaf):
        quote = draw(st.sampled_from("'\""))
        return f"{space}{quote}{tree.msp_id}.{tree.role}{quote}"
    rules = [written(rule, draw) for rule in tree.rules]
    spellings = [("OutOf", [str(tree.needed)]), ("OutOf", [f"'{tree.needed}'"])]
    spellings += [("And", [])] if tree.needed == len(rules) else []
    spellings += [("Or", [])] if tree.needed == 1 else []
    gate, first = draw(st.sampled_from(spellings))
    name = draw(st.sampled_from([gate, gate.lower(), gate.upper()]))
    return f"{space}{name}{space}({','.join([*first, *rules])}{space})"


def read(rule: SignaturePolicy, principals: list[MSPPrincipal]) -> Gate | Leaf:
    if rule.WhichOneof("Type") == "signed_by":
        principal = principals[rule.signed_by]
        assert principal.principal_classification == MSPPrincipal.ROLE
        role = MSPRole.FromString(principal.principal)
        return Leaf(role.msp_identifier, MSPRole.MSPRoleType.Name(role.role).lower())
    rules = tuple(read(each, principals) for each in rule.n_out_of.rules)
    return Gate(rule.n_out_of.n, rules)


def indices(rule: SignaturePolicy) -> Iterator[int]:
    if rule.WhichOneof("Type") == "signed_by":
        yield rule.signed_by
    for each in rule.n_out_of.rules:
        yield from indices(each)


@given(data=st.data(), tree=GATES)
def test_what_is_written_is_what_is_read(data: st.DataObject, tree: Gate) -> None:
    @st.composite
    def texts(draw: st.DrawFn) -> str:
        return written(tree, draw)

    envelope = parse_policy(data.draw(texts()))
    principals = list(envelope.identities)
    assert read(envelope.rule, principals) == tree
    assert sorted(indices(envelope.rule)) == list(range(len(principals)))


@given(text=st.text(alphabet="andorAND utOf('A.member',1)\"-", max_size=40))
def test_garbage_is_refused_with_a_policy_error_only(text: str) -> None:
    try:
        envelope = parse_policy(text)
    except PolicyError:
        return
    assert envelope.HasField("rule")
