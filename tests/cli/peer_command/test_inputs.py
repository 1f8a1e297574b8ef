"""What users hand over as text, and what is said when it is wrong."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from treadle_cli.peer.errors import CommandError
from treadle_cli.peer.inputs import (
    parse_collections,
    parse_constructor,
    parse_endorsement_policy,
    parse_transient,
    read_collections,
)

WANTED = "must contain the following keys: 'Args' or 'Function' and 'Args'"


@given(st.lists(st.text()))
def test_args_come_back_as_utf8(arguments: list[str]) -> None:
    text = json.dumps({"Args": arguments})
    assert parse_constructor(text) == tuple(word.encode() for word in arguments)


def test_function_goes_first_and_key_case_does_not_matter() -> None:
    assert parse_constructor('{"function":"f","ARGS":["a"]}') == (b"f", b"a")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{}", f"empty JSON chaincode parameters {WANTED}"),
        ('{"args":["a"],"x":1}', f"non-empty JSON chaincode parameters {WANTED}"),
        ('{"Function":"f"}', f"non-empty JSON chaincode parameters {WANTED}"),
        ('["f"]', f"non-empty JSON chaincode parameters {WANTED}"),
        ('{"Args":["a"]', "chaincode argument error: unexpected end of JSON input"),
        (
            '{"Args":["a",1]}',
            "chaincode argument error: json: cannot unmarshal number into Go struct field "
            ".Args of type string",
        ),
        (
            '{"Args":"a"}',
            "chaincode argument error: json: cannot unmarshal string into Go struct field "
            ".Args of type []string",
        ),
    ],
)
def test_a_wrong_constructor_is_refused_in_fabrics_words(text: str, said: str) -> None:
    with pytest.raises(CommandError) as refused:
        parse_constructor(text)
    assert str(refused.value) == said


def test_install_and_package_need_no_constructor() -> None:
    assert parse_constructor("{}", may_be_empty=True) == ()


@given(st.dictionaries(st.text(), st.binary()))
def test_transient_values_are_base64(values: dict[str, bytes]) -> None:
    text = json.dumps({name: base64.b64encode(value).decode() for name, value in values.items()})
    assert parse_transient(text) == values


@pytest.mark.parametrize("text", ['{"a":1}', '{"a":"*"}', "[1]", "{"])
def test_a_wrong_transient_map_is_refused(text: str) -> None:
    with pytest.raises(CommandError, match="error parsing transient string: "):
        parse_transient(text)


def test_no_transient_flag_is_an_empty_map() -> None:
    assert parse_transient("") == {}


def test_policies_are_parsed_or_refused_with_their_text() -> None:
    assert parse_endorsement_policy("") is None
    policy = parse_endorsement_policy("OR('Org1MSP.member')")
    assert policy is not None
    assert len(policy.identities) == 1
    with pytest.raises(CommandError, match=r"invalid policy AND\("):
        parse_endorsement_policy("AND(")


def test_collections_have_fabrics_defaults() -> None:
    text = json.dumps([{"name": "secret", "policy": "OR('Org1MSP.member')"}])
    static = parse_collections(text.encode()).config[0].static_collection_config
    assert (static.name, static.required_peer_count, static.maximum_peer_count) == ("secret", 0, 1)


def test_a_collection_may_name_its_own_endorsement_policy() -> None:
    collection = {
        "name": "secret",
        "policy": "OR('Org1MSP.member')",
        "endorsementPolicy": {"channelConfigPolicy": "/Channel/Application/Endorsement"},
    }
    static = parse_collections(json.dumps([collection]).encode()).config[0]
    policy = static.static_collection_config.endorsement_policy
    assert policy.channel_config_policy_reference == "/Channel/Application/Endorsement"


@pytest.mark.parametrize(
    "content",
    [b"{", b"{}", b"[1]", b'[{"name":"x","policy":"no"}]', b'[{"maxPeerCount":"x","policy":""}]'],
)
def test_a_wrong_collection_file_is_named(content: bytes, tmp_path: Path) -> None:
    file = tmp_path / "collections.json"
    file.write_bytes(content)
    with pytest.raises(CommandError, match="invalid collection configuration in file"):
        read_collections(str(file))


def test_a_missing_collection_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="could not read file"):
        read_collections(str(tmp_path / "none.json"))
