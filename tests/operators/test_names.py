"""Names fit where Kubernetes puts them, and different things have different ones."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st
from treadle_operator.names import fetch_name, organization_name, peer_names, runtime_name, slug

LABEL = re.compile("[a-z]([-a-z0-9]*[a-z0-9])?")
PEERS = st.from_regex(r"\A[a-z]([-a-z0-9]{0,38}[a-z0-9])?\Z")


@given(st.text())
def test_a_slug_is_part_of_a_label_or_nothing(text: str) -> None:
    assert re.fullmatch("([a-z0-9]+(-[a-z0-9]+)*)?", slug(text))


@given(PEERS, st.text(min_size=1))
def test_a_runtime_name_is_a_label_of_at_most_52_characters(peer: str, ccid: str) -> None:
    name = runtime_name(peer, ccid)
    assert LABEL.fullmatch(name)
    assert len(name) <= 52
    assert name.startswith(f"{peer}-")


@given(PEERS, PEERS, st.text(min_size=1), st.text(min_size=1))
def test_different_runtimes_have_different_names(a: str, b: str, one: str, two: str) -> None:
    same = runtime_name(a, one) == runtime_name(b, two)
    assert same == ((a, one) == (b, two))


@given(st.from_regex(r"\A[a-z0-9]([-a-z0-9.]{0,61}[a-z0-9])?\Z"))
def test_the_name_of_a_fetch_job_leaves_room_for_its_pods(package: str) -> None:
    name = fetch_name(package)
    assert LABEL.fullmatch(name)
    assert len(name) <= 52
    assert fetch_name(f"{package}0") != name


def test_runtimes_that_differ_only_in_what_a_label_cannot_hold_differ() -> None:
    names = {runtime_name("peer0", ccid) for ccid in ("Asset:1.0", "asset:1.0", "asset_1.0")}
    assert len(names) == 3
    assert runtime_name("peer0", "asset:1.0").startswith("peer0-asset-1-0-")


@given(PEERS, st.from_regex(r"\A[a-zA-Z0-9.-]{1,249}\Z"))
def test_every_name_of_a_peer_is_a_label(peer: str, msp_id: str) -> None:
    names = peer_names(peer, msp_id)
    every = {field: getattr(names, field) for field in names.__slots__}
    assert all(LABEL.fullmatch(name) and len(name) <= 63 for name in every.values()), every


def test_organisations_whose_names_differ_in_case_only_have_different_secrets() -> None:
    assert organization_name("Org1MSP") != organization_name("org1msp")
