"""Whom an event concerns."""

from __future__ import annotations

from treadle_operator.model import Key, Kind
from treadle_operator.queue import Routes

ONE, TWO = (Key(Kind.PEER, "trade", name) for name in ("peer0", "peer1"))


def test_a_label_names_the_owner_in_its_own_namespace() -> None:
    assert Routes().of_labels("trade", {"treadle.dev/peer": "peer0"}) == {ONE}
    assert Routes().of_labels("trade", {"app": "peer0"}) == frozenset()


def test_everyone_who_refers_to_a_secret_is_concerned_until_they_stop() -> None:
    routes = Routes()
    routes.refer(ONE, ["shared", "mine"])
    routes.refer(TWO, ["shared"])
    assert routes.of_secret("trade", "shared") == {ONE, TWO}
    assert routes.of_secret("other", "shared") == frozenset()
    routes.refer(ONE, ["mine"])
    assert routes.of_secret("trade", "shared") == {TWO}
    routes.drop(TWO)
    assert routes.of_secret("trade", "shared") == frozenset()
    assert routes.of_secret("trade", "mine") == {ONE}
