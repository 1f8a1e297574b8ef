"""Whom an event concerns."""

from __future__ import annotations

from treadle_operator.model import Key, Kind, Reference
from treadle_operator.queue import Routes

ONE, TWO = (Key(Kind.PEER, "trade", name) for name in ("peer0", "peer1"))
SHARED, MINE = (Reference("Secret", name) for name in ("shared", "mine"))


def test_a_label_names_the_owner_in_its_own_namespace() -> None:
    assert Routes().of_labels("trade", {"treadle.dev/peer": "peer0"}) == {ONE}
    assert Routes().of_labels("trade", {"app": "peer0"}) == frozenset()


def test_what_belongs_to_a_runtime_concerns_it_and_not_its_peer() -> None:
    labels = {"treadle.dev/peer": "peer0"}
    runtime = Key(Kind.RUNTIME, "trade", "peer0/asset:1")
    assert Routes().of_labels("trade", labels, "asset:1") == {runtime}


def test_what_belongs_to_a_package_concerns_it() -> None:
    labels = {"treadle.dev/package": "asset-1.0"}
    concerned = Routes().of_labels("trade", labels)
    assert concerned == {Key(Kind.PACKAGE, "trade", "asset-1.0")}


def test_everyone_who_refers_to_a_secret_is_concerned_until_they_stop() -> None:
    routes = Routes()
    routes.refer(ONE, [SHARED, MINE])
    routes.refer(TWO, [SHARED])
    assert routes.of("trade", SHARED) == {ONE, TWO}
    assert routes.of("other", SHARED) == frozenset()
    routes.refer(ONE, [MINE])
    assert routes.of("trade", SHARED) == {TWO}
    routes.drop(TWO)
    assert routes.of("trade", SHARED) == frozenset()
    assert routes.of("trade", MINE) == {ONE}


def test_only_references_that_come_or_go_are_news() -> None:
    routes = Routes()
    assert routes.refer(ONE, [SHARED]) == {SHARED}
    assert routes.refer(ONE, [SHARED]) == frozenset()
    assert routes.refer(ONE, [MINE]) == {SHARED, MINE}
    assert routes.drop(ONE) == {MINE}
    assert routes.references(ONE) == frozenset()
