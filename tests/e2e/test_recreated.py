"""A Peer that is deleted and created again is the same peer; what clients did first is adopted."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from secrets import token_hex

import pytest
from e2e import wanted
from e2e.accounts import CHANNEL, PACKAGES
from e2e.conftest import Connect
from e2e.counters import Counter, new_counter
from e2e.kubectl import Kubectl
from e2e.peer_pod import height
from harness.processes import wait_until

pytestmark = [pytest.mark.e2e, pytest.mark.real_fabric, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def kept(new_namespace: Callable[[str], Kubectl]) -> Iterator[Kubectl]:
    """A namespace of its own, with a Peer that leaves its volume and its keys when it goes."""
    there = new_namespace(f"kept-{token_hex(2)}")
    try:
        there.apply(peer())
        there.wait("peers.treadle.dev/peer0", "condition=Ready", within=180)
        yield there
    finally:
        there.run("delete", "namespace", there.namespace, "--timeout=120s")


def peer() -> dict[str, object]:
    return wanted.peer(deletionPolicy="Retain", channels=[{"name": CHANNEL}])


@pytest.fixture(scope="module")
def counter(kept: Kubectl, connected: Connect) -> Counter:
    """Installed by a ChaincodePackage, instantiated by ``peer chaincode instantiate``, at 1."""
    made = new_counter(kept, "counter")
    kept.apply(made.package("1"))
    kept.wait(f"{PACKAGES}/{made.name}-1", "condition=Ready", within=120)
    with connected(kept) as cli:
        cli.instantiate(made.name, "1", "init", channel=CHANNEL)
        cli.invoke(made.name, "next", channel=CHANNEL)
    return made


def test_what_a_client_has_instantiated_is_adopted(
    kept: Kubectl, counter: Counter, connected: Connect
) -> None:
    with connected(kept) as cli:
        before = height(cli)
        pods = kept.run("get", counter.deployment("1"), "--output=jsonpath={.metadata.uid}")
        kept.apply(counter.instantiation("1"))
        counter.ready()
        assert height(cli) == before
        assert cli.query(counter.name, "next", channel=CHANNEL) == "2"
    now = kept.get(*counter.deployment("1").split("/"))["metadata"]
    assert now["uid"] == pods
    assert [one["name"] for one in now["ownerReferences"]] == [counter.name]


def test_a_peer_that_is_created_again_has_its_ledger_and_answers(
    kept: Kubectl, counter: Counter, connected: Connect
) -> None:
    kept.apply(counter.instantiation("1"))
    counter.ready()
    with connected(kept) as cli:
        before = height(cli)
    kept.run("delete", "peers.treadle.dev/peer0", "--timeout=60s")
    wait_until(
        lambda: not kept.run("get", "pod/peer0-0", "--ignore-not-found", "--output=name"),
        within=90,
        what="the end of the peer's pod",
    )
    kept.wait(counter.resource, "condition=Ready=False", within=60)
    kept.apply(peer())
    kept.wait("peers.treadle.dev/peer0", "condition=Ready", within=180)
    counter.ready()
    with connected(kept) as cli:
        assert height(cli) == before
        cli.invoke(counter.name, "next", channel=CHANNEL)
        assert cli.query(counter.name, "next", channel=CHANNEL) == "3"
