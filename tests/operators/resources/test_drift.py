"""A write happens when something of ours is not as we want it, and only then."""

from __future__ import annotations

import copy
from decimal import Decimal
from typing import Any

import pytest
from harness.operating.stored import FULL, SECRETS, peer
from hypothesis import given
from hypothesis import strategies as st
from treadle_operator.resources import Images, differs, peer_children, quantity, stamped

CHILDREN = [
    stamped(child)
    for one in (peer(), peer("peer1", **FULL))
    for child in peer_children(one, images=Images(peer="i"), secrets=SECRETS)
]
Path = tuple[str | int, ...]


def leaves(node: object, path: Path = ()) -> list[Path]:
    if isinstance(node, dict) and node:
        return [leaf for key, value in node.items() for leaf in leaves(value, (*path, key))]
    if isinstance(node, list) and node:
        return [leaf for i, value in enumerate(node) for leaf in leaves(value, (*path, i))]
    return [path]


def change(node: Any, path: Path, value: object) -> None:
    for step in path[:-1]:
        node = node[step]
    node[path[-1]] = value


def add_defaults(node: Any) -> None:
    """What an API server and other managers do: more fields, at every level."""
    if isinstance(node, dict):
        for key, value in list(node.items()):
            if not key.lower().endswith("selector"):
                add_defaults(value)
        node["addedByTheServer"] = "x"
    elif isinstance(node, list):
        for item in node:
            add_defaults(item)


@pytest.mark.parametrize("wanted", CHILDREN, ids=lambda child: f"{child['kind']}")
def test_defaults_of_the_server_are_no_difference(wanted: dict[str, object]) -> None:
    live = copy.deepcopy(wanted)
    add_defaults(live)
    assert not differs(wanted, live)
    assert differs(wanted, None)


@given(st.data())
def test_any_changed_or_missing_field_is_one(data: st.DataObject) -> None:
    wanted = data.draw(st.sampled_from(CHILDREN))
    path = data.draw(st.sampled_from(leaves(wanted)))
    live = copy.deepcopy(wanted)
    change(live, path, data.draw(st.sampled_from(["changed", None, -17])))
    assert differs(wanted, live)


def test_a_field_that_is_not_wanted_any_more_is_one() -> None:
    before = stamped({"metadata": {}, "spec": {"a": 1, "b": 2}})
    after = stamped({"metadata": {}, "spec": {"a": 1}})
    assert differs(after, before)


@pytest.mark.parametrize("rules", [[], [{"ports": [1]}, {}]])
def test_a_rule_more_or_less_in_a_list_without_names_is_one(rules: list[object]) -> None:
    wanted = stamped({"spec": {"ingress": [{"ports": [1]}]}})
    live: Any = copy.deepcopy(wanted)
    live["spec"]["ingress"] = rules
    assert differs(wanted, live)


def test_a_container_of_others_is_none_and_our_own_missing_one_is() -> None:
    wanted = stamped({"spec": {"containers": [{"name": "peer", "image": "a"}]}})
    live: Any = copy.deepcopy(wanted)
    live["spec"]["containers"].insert(0, {"name": "mesh", "image": "b"})
    assert not differs(wanted, live)
    del live["spec"]["containers"][1]
    assert differs(wanted, live)


@pytest.mark.parametrize("place", ["selector", "nodeSelector", "podSelector"])
def test_one_more_label_in_a_selector_is_one(place: str) -> None:
    wanted = stamped({"spec": {place: {"matchLabels": {"a": "b"}}}})
    live: Any = copy.deepcopy(wanted)
    live["spec"][place]["matchLabels"]["more"] = "x"
    assert differs(wanted, live)


def test_quantities_are_compared_as_numbers_and_only_where_there_are_quantities() -> None:
    wanted = stamped({"resources": {"requests": {"cpu": "1000m"}}, "data": {"a": "1000m"}})
    live: Any = copy.deepcopy(wanted)
    live["resources"]["requests"]["cpu"] = "1"
    assert not differs(wanted, live)
    live["data"]["a"] = "1"
    assert differs(wanted, live)


@pytest.mark.parametrize(
    ("text", "number"),
    [("10Gi", 10 * 2**30), ("1.5k", 1500), ("500m", Decimal("0.5")), ("1e3", 1000), (2, 2)],
)
def test_quantities_mean_numbers(text: object, number: object) -> None:
    assert quantity(text) == number


@given(st.text(max_size=6))
def test_whatever_is_written_is_a_number_or_none(text: str) -> None:
    found = quantity(text)
    assert found is None or found.is_finite()


@pytest.mark.parametrize("text", ["", "Gi", "1Xi", "1 Gi", True, None, "1e", "--1"])
def test_what_is_no_quantity_is_none(text: object) -> None:
    assert quantity(text) is None
