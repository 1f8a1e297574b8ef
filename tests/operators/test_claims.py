"""Claims to runtimes: who has which, who gives way to whom, and who disagrees."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace

import pytest
from harness.operating.chaincodes import instantiation, package
from hypothesis import given
from hypothesis import strategies as st
from treadle_operator.claims import ccid_of, claims, conflict, duplicates
from treadle_operator.model import ChaincodeInstantiation, ChaincodePackage, Mode, runtime_settings
from treadle_operator.model.reading import Fields

ASSET = package("asset-1.0", peers=[{"name": "peer0"}, {"name": "peer1"}])
NOTHING = runtime_settings(None)


def created(day: int) -> str:
    return f"2026-11-{day:02}T12:00:00Z"


def names(found: Sequence[object]) -> list[str]:
    return [claim.instantiation.meta.name for claim in found]


def test_a_runtime_is_called_by_name_and_version() -> None:
    assert ccid_of(ASSET) == "asset:1.0"


def test_an_instantiation_claims_its_version_at_each_peer_of_the_package() -> None:
    one = instantiation("a")
    for peer in ("peer0", "peer1"):
        assert names(claims(peer, "asset:1.0", [one], [ASSET])) == ["a"]
    assert claims("peer2", "asset:1.0", [one], [ASSET]) == []
    assert claims("peer0", "asset:2.0", [one], [ASSET]) == []


def test_claims_of_several_channels_come_oldest_first_then_by_name() -> None:
    given_ = [
        instantiation("young", created(9), channel="a"),
        instantiation("b", created(2), channel="b"),
        instantiation("a", created(2), channel="c"),
        instantiation("old", created(1), channel="d"),
    ]
    assert names(claims("peer0", "asset:1.0", given_, [ASSET])) == ["old", "a", "b", "young"]


def test_what_is_being_deleted_claims_nothing_any_more() -> None:
    one = instantiation("a")
    deleting = replace(one, meta=replace(one.meta, deleting=True))
    gone = replace(ASSET, meta=replace(ASSET.meta, deleting=True))
    assert claims("peer0", "asset:1.0", [deleting], [ASSET]) == []
    assert claims("peer0", "asset:1.0", [one], [gone]) == []
    assert claims("peer0", "asset:1.0", [one], []) == []


def test_what_was_of_another_chaincode_is_in_nobodys_way() -> None:
    other = package("other-1.0", name="other")
    moved = replace(instantiation("old", created(1)), status={"legacyID": "other:1.0"})
    young = instantiation("young", created(2))
    assert duplicates([moved, young], [ASSET, other]) == {}
    assert names(claims("peer0", "asset:1.0", [moved, young], [ASSET, other])) == ["young"]
    upgraded = replace(moved, status={"legacyID": "asset:0.9"})
    assert duplicates([upgraded, young], [ASSET]) == {"young": upgraded}


def test_the_younger_of_two_for_one_chaincode_on_a_channel_gives_way() -> None:
    newer_version = package("asset-2.0", version="2.0")
    old, young = instantiation("old", created(1)), instantiation("young", created(2))
    upgrading = instantiation("up", created(3), packageRef={"name": "asset-2.0"})
    assert duplicates([young, upgrading, old], [ASSET, newer_version]) == {"young": old, "up": old}
    assert names(claims("peer0", "asset:1.0", [young, old], [ASSET])) == ["old"]
    assert claims("peer0", "asset:2.0", [upgrading, old], [ASSET, newer_version]) == []


def test_other_peers_and_other_channels_are_in_nobodys_way() -> None:
    elsewhere = package("asset-1.0-b", peers=[{"name": "peer2"}])
    every = [
        instantiation("a", created(1)),
        instantiation("b", created(2), channel="other"),
        instantiation("c", created(3), packageRef={"name": "asset-1.0-b"}),
    ]
    assert duplicates(every, [ASSET, elsewhere]) == {}


def test_one_that_gives_way_is_itself_in_nobodys_way() -> None:
    first = package("p01", peers=[{"name": "peer0"}, {"name": "peer1"}])
    middle = package("p12", peers=[{"name": "peer1"}, {"name": "peer2"}])
    last = package("p2", peers=[{"name": "peer2"}])
    old = instantiation("old", created(1), packageRef={"name": "p01"})
    mid = instantiation("mid", created(2), packageRef={"name": "p12"})
    young = instantiation("young", created(3), packageRef={"name": "p2"})
    assert duplicates([old, mid, young], [first, middle, last]) == {"mid": old}


@pytest.mark.parametrize(
    ("older", "younger", "field"),
    [
        ({"mode": "Development"}, {}, "mode"),
        ({"mode": "Production"}, {}, None),
        ({"runtime": {"replicas": 2}}, {"runtime": {"replicas": 3}}, "runtime"),
        ({"runtime": {"replicas": 4}}, {}, None),
        ({"runtime": {"env": [{"name": "A", "value": "1"}]}}, {}, "runtime"),
        ({"mode": "Development", "runtime": {"replicas": 2}}, {}, "mode"),
    ],
)  # fmt: skip
def test_the_oldest_decides_how_a_runtime_runs(
    older: dict[str, object], younger: dict[str, object], field: str | None
) -> None:
    old = instantiation("old", created(1), channel="a", **older)
    young = instantiation("young", created(2), channel="b", **younger)
    found = claims("peer0", "asset:1.0", [young, old], [ASSET])
    defaults = runtime_settings(Fields({"replicas": 4}, ""))
    answer = conflict("young", found, mode=Mode.PRODUCTION, defaults=defaults)
    assert answer == (None if field is None else (old, field))
    assert conflict("old", found, mode=Mode.PRODUCTION, defaults=defaults) is None


def test_who_claims_nothing_is_in_conflict_with_nobody() -> None:
    found = claims("peer0", "asset:1.0", [instantiation("a")], [ASSET])
    assert conflict("b", found, mode=Mode.PRODUCTION, defaults=NOTHING) is None


PEERS = ["p0", "p1", "p2"]
PACKAGES = st.lists(
    st.builds(
        lambda version, peers: (version, sorted(peers)),
        st.sampled_from(["1", "2"]),
        st.sets(st.sampled_from(PEERS), min_size=1),
    ),
    min_size=1,
    max_size=3,
)
WISHES = st.lists(
    st.tuples(st.integers(0, 3), st.sampled_from(["x", "y"]), st.integers(1, 3), st.booleans()),
    max_size=7,
)


@given(PACKAGES, WISHES, st.randoms(use_true_random=False))
def test_each_chaincode_on_a_channel_of_a_peer_has_one_holder_and_order_of_arrival_is_nothing(
    given_: list[tuple[str, list[str]]],
    wishes: list[tuple[int, str, int, bool]],
    shuffle: random.Random,
) -> None:
    packages = [
        package(f"k{index}", version=version, peers=[{"name": peer} for peer in peers])
        for index, (version, peers) in enumerate(given_)
    ]
    wanting = [_wish(index, wish) for index, wish in enumerate(wishes)]
    slots = [
        (peer, version, claim.instantiation.spec.channel)
        for peer in PEERS
        for version in ("1", "2")
        for claim in claims(peer, f"asset:{version}", wanting, packages)
    ]
    places = [(peer, channel) for peer, _, channel in slots]
    assert len(set(places)) == len(places)
    given_way = duplicates(wanting, packages)
    _check_that_everyone_is_somewhere(wanting, packages, set(given_way))
    assert all(_age(older) < _age(_named(wanting, name)) for name, older in given_way.items())
    assert not {older.meta.name for older in given_way.values()} & set(given_way)
    shuffle.shuffle(wanting)
    shuffle.shuffle(packages)
    assert duplicates(wanting, packages) == given_way


def _wish(index: int, wish: tuple[int, str, int, bool]) -> ChaincodeInstantiation:
    which, channel, day, deleting = wish
    one = instantiation(
        f"i{index}", created(day), channel=channel, packageRef={"name": f"k{which}"}
    )
    return replace(one, meta=replace(one.meta, deleting=deleting))


def _check_that_everyone_is_somewhere(
    wanting: list[ChaincodeInstantiation], packages: list[ChaincodePackage], given_way: set[str]
) -> None:
    """Whoever could claim does so at every peer of its package, or gives way."""
    by_name = {one.meta.name: one for one in packages}
    for one in wanting:
        wanted = by_name.get(one.spec.package.name)
        if one.meta.deleting or wanted is None or one.meta.name in given_way:
            continue
        for peer in wanted.spec.peers:
            assert one.meta.name in names(claims(peer, ccid_of(wanted), wanting, packages))


def _named(wanting: list[ChaincodeInstantiation], name: str) -> ChaincodeInstantiation:
    return next(one for one in wanting if one.meta.name == name)


def _age(one: ChaincodeInstantiation) -> tuple[str, str]:
    return one.meta.created, one.meta.name
