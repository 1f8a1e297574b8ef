"""How long it takes from apply to the first committed transaction, in Go, on a node of processes.

Only printed: a machine has neighbours. What a cluster adds (images that are fetched, containers
that are made) tests/e2e/test_speed.py measures.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from harness.chaincodes import built
from harness.nodes.images import Image, golang, here
from harness.nodes.machine import Machine
from harness.operating.operated import Operated, go_files, operated, package_of
from harness.processes import wait_until
from treadle_fabric.client import ClientError

pytestmark = [
    pytest.mark.kubernetes,
    pytest.mark.process_node,
    pytest.mark.toolchain("go"),
    pytest.mark.long,
    pytest.mark.timeout(3600),
]

KIND = "ChaincodeInstantiation"
INIT = {"args": ["init", "a", "100", "b", "50"]}
WITHIN = 2400.0
PREBUILT = "speedy-go@sha256:" + "5d" * 32
EMPTY = "golang-without-caches"


@pytest.fixture
def images(machine: Machine, tmp_path: Path) -> Iterator[None]:
    """Go that has compiled nothing yet, and a chaincode that was built before."""
    tmp_path.chmod(0o755)
    compiled = tmp_path / "go-build"
    compiled.mkdir()
    compiled.chmod(0o777)
    stock, folder = golang(), built("go")
    machine.node.images[EMPTY] = Image(
        path=stock.path,
        folders=stock.folders,
        caches={"/go/build": compiled},
        environment=stock.environment,
    )
    machine.node.images[PREBUILT] = Image(
        folders=here(folder),
        command=("sh", "-c", f"exec {folder}/chaincode -peer.address=$CORE_PEER_ADDRESS"),
    )
    yield
    del machine.node.images[EMPTY], machine.node.images[PREBUILT]


@pytest.fixture
def trade(machine: Machine, images: None, tmp_path: Path) -> Iterator[Operated]:
    """Its Peer builds Go with nothing compiled; that may take a busy machine half an hour."""
    chaincode = {"buildTimeout": "40m", "builders": {"golang": {"image": EMPTY}}}
    channels = [{"name": "mychannel"}, {"name": "second"}]
    with operated(machine, tmp_path / "trade", channels=channels, chaincode=chaincode) as running:
        yield running


def invoked(trade: Operated, chaincode: str, package: str, channel: str) -> None:
    """Instantiate it, and return with the first transaction that commits."""
    trade.instantiate(package, package, channel=channel, init=INIT)

    def commits() -> bool:
        try:
            trade.invoke(chaincode, "transfer", "a", "b", "1", channel=channel)
        except ClientError:
            return False
        return True

    # Ready is what people wait for; an attempt before that would only cost time.
    trade.ready(KIND, package, within=WITHIN)
    wait_until(commits, within=60, what=f"a transaction of {chaincode}")


def test_apply_to_the_first_transaction(trade: Operated, say: Callable[[str], None]) -> None:
    rows: list[tuple[str, float]] = []

    def measure(what: str, chaincode: str, channel: str = "mychannel", *, version: str) -> None:
        begun = time.monotonic()
        if trade.space.find("ChaincodePackage", f"{chaincode}-{version}") is None:
            source = {"image": PREBUILT} if chaincode == "speedy" else None
            spec = package_of(go_files(), name=chaincode, version=version)
            if source is not None:
                spec |= {"language": None, "source": source}
            trade.space.create_package(f"{chaincode}-{version}", **spec)
        invoked(trade, chaincode, f"{chaincode}-{version}", channel)
        rows.append((what, time.monotonic() - begun))

    measure("cold build: Go's cache is empty", "cold", version="1")
    measure("warm build: another package, the shim is compiled", "warm", version="1")
    trade.space.api.delete(trade.space.path(KIND, "cold-1")).expect()
    wait_until(lambda: not trade.pods("peer0-cold"), within=60, what="the end of its pods")
    measure("no build: the peer has the output", "cold", "second", version="1")
    measure("prebuilt image", "speedy", version="1")
    load = os.getloadavg()[0]
    table = "\n    ".join(f"{what:<52} {seconds:6.1f} s" for what, seconds in rows)
    say(f"apply to first transaction, Go, process node (load {load:.0f}):\n    {table}")
