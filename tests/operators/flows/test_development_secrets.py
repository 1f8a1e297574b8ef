"""A developer's Secret holds what the peer takes, whatever happens to what it is made from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pytest
from harness.nodes.machine import Machine
from harness.operating.operated import Operated, go_files, new_operated, package_of
from harness.operating.world import secret_bytes
from harness.processes import wait_until

pytestmark = [
    pytest.mark.kubernetes,
    pytest.mark.process_node,
    pytest.mark.long,
]

KIND = "ChaincodeInstantiation"


@pytest.fixture(scope="module")
def trade(machine: Machine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Operated]:
    made = new_operated(machine)
    with made.start(tmp_path_factory.mktemp("secrets"), name="operator"):
        made.space.create_peer(mode="Development")  # with TLS, and nothing is built
        made.ready("Peer", "peer0")
        yield made


def path_of(trade: Operated, name: str) -> str:
    return f"/api/v1/namespaces/{trade.space.name}/secrets/{name}-dev"


def held(trade: Operated, name: str) -> Mapping[str, bytes]:
    """What the Secret of *name* holds; empty while there is none."""
    answer = trade.space.api.get(path_of(trade, name))
    return secret_bytes(answer.expect()) if answer.accepted else {}


def created(trade: Operated, name: str) -> None:
    files = package_of(go_files(), name=name, version="1.0")
    trade.space.create_package(f"{name}-1.0", **files)


def test_a_package_that_was_deleted_and_came_back_gives_a_certificate_that_counts(
    trade: Operated,
) -> None:
    created(trade, "back")
    trade.instantiate("back", "back-1.0")
    wait_until(lambda: "client.crt" in held(trade, "back"), within=60, what="the Secret")
    before = held(trade, "back")["client.crt"]
    package = trade.space.path("ChaincodePackage", "back-1.0")
    trade.space.api.delete(package).expect()
    trade.becomes(KIND, "back", "PackageMissing", within=60)
    created(trade, "back")
    wait_until(
        lambda: held(trade, "back").get("client.crt") not in (None, before),
        within=60,
        what="another certificate, for the peer has retired the first one",
    )
