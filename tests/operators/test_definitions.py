"""Whether the ledger has what a spec asks for."""

from __future__ import annotations

from typing import Any

import pytest
from fabric_protos.peer.collection_pb2 import CollectionConfigPackage
from harness.operating.chaincodes import instantiation
from treadle_fabric.policy import parse_policy, signed_by_any_member
from treadle_fabric.wire import parse, serialize
from treadle_operator.definitions import (
    Wanted,
    are_collections,
    is_policy,
    wanted_definition,
)
from treadle_operator.errors import Blocked
from treadle_operator.model.peering import Definition

MEMBERS = ["Org1MSP", "Org2MSP"]
PRICES: dict[str, Any] = {"name": "prices", "policy": "OR('Org1MSP.member')"}
TERMS: dict[str, Any] = {
    "name": "terms",
    "policy": "OR('Org2MSP.member')",
    "requiredPeerCount": 1,
    "maxPeerCount": 2,
    "blockToLive": 7,
    "memberOnlyRead": True,
    "memberOnlyWrite": True,
    "endorsementPolicy": {"signaturePolicy": "OR('Org2MSP.peer')"},
}


def wanted(**spec: object) -> Wanted:
    return wanted_definition(instantiation(**spec).spec)


def committed(policy: bytes = b"", collections: bytes = b"") -> Definition:
    return Definition(name="asset", version="1.0", policy=policy, collections=collections)


def policy(text: str) -> bytes:
    return serialize(parse_policy(text))


def test_what_a_spec_asks_for_is_on_the_ledger_once_it_was_written_there() -> None:
    asked = wanted(endorsementPolicy="AND('Org1MSP.peer', 'Org2MSP.peer')", collections=[TERMS])
    written = committed(asked.policy or b"", asked.collections)
    assert is_policy(written, asked, [])
    assert are_collections(written, asked)


@pytest.mark.parametrize(
    ("asked", "members", "same"),
    [
        ("OR('Org1MSP.member', 'Org2MSP.member')", MEMBERS, True),
        ("OR('Org2MSP.member', 'Org1MSP.member')", MEMBERS, False),
        ("OR('Org1MSP.member')", MEMBERS, False),
        (None, MEMBERS, True),
        (None, ["Org2MSP", "Org1MSP"], True),
        (None, ["Org1MSP"], False),
        (None, [*MEMBERS, "Org3MSP"], False),
    ],
)
def test_no_policy_is_any_member_of_the_channel(
    asked: str | None, members: list[str], same: bool
) -> None:
    written = committed(serialize(signed_by_any_member(MEMBERS)))
    assert is_policy(written, wanted(endorsementPolicy=asked), members) is same


def test_a_policy_that_cannot_be_read_is_another_one() -> None:
    assert not is_policy(committed(b"\xff"), wanted(endorsementPolicy="OR('A.member')"), [])


def test_collections_are_compared_by_name_and_every_field() -> None:
    both = wanted(collections=[PRICES, TERMS]).collections
    assert are_collections(committed(collections=both), wanted(collections=[TERMS, PRICES]))
    assert not are_collections(committed(collections=both), wanted(collections=[TERMS]))
    assert not are_collections(committed(collections=both), wanted())
    assert not are_collections(committed(), wanted(collections=[TERMS]))
    for field, value in {
        "policy": "OR('Org1MSP.member')",
        "requiredPeerCount": 0,
        "maxPeerCount": 3,
        "blockToLive": 8,
        "memberOnlyRead": False,
        "memberOnlyWrite": False,
        "endorsementPolicy": {"channelConfigPolicy": "/Channel/Application/Endorsement"},
    }.items():
        changed = wanted(collections=[PRICES, {**TERMS, field: value}])
        assert not are_collections(committed(collections=both), changed), field


def test_collections_are_written_as_fabric_writes_them() -> None:
    asked = wanted(collections=[TERMS]).collections
    (config,) = parse(CollectionConfigPackage, asked).config
    static = config.static_collection_config
    assert (static.name, static.block_to_live, static.member_only_read) == ("terms", 7, True)
    members = static.member_orgs_policy.signature_policy
    assert members == parse_policy("OR('Org2MSP.member')")


@pytest.mark.parametrize(
    ("spec", "where"),
    [
        ({"endorsementPolicy": "OR('Org1MSP.nobody')"}, "spec.endorsementPolicy"),
        ({"endorsementPolicy": "Org1MSP"}, "spec.endorsementPolicy"),
        ({"collections": [{**PRICES, "policy": "OR("}]}, "spec.collections, prices: policy"),
        (
            {"collections": [{**PRICES, "endorsementPolicy": {"signaturePolicy": "x"}}]},
            "spec.collections, prices: endorsementPolicy.signaturePolicy",
        ),
    ],
)
def test_a_policy_that_is_none_is_named(spec: dict[str, object], where: str) -> None:
    with pytest.raises(Blocked) as refused:
        wanted(**spec)
    assert refused.value.reason == "PolicyInvalid"
    assert refused.value.message.startswith(f"{where} is no policy: ")
