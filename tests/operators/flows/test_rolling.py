"""What pods were started with is changed: others take their place."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from threading import Thread

import pytest
from harness.operating.operated import Operated, go_files, package_of
from harness.operating.world import Namespace
from harness.processes import wait_until
from treadle_fabric.client import ClientError
from treadle_operator.names import runtime_name

pytestmark = [
    pytest.mark.kubernetes,
    pytest.mark.process_node,
    pytest.mark.toolchain("go"),
    pytest.mark.long,
]

KIND = "ChaincodeInstantiation"


def apply_secret(trade: Operated, password: str, other: str = "") -> None:
    data = {"password": password, "other": other}
    manifest = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "database", "labels": {"treadle.dev/runtime-env": "true"}},
        "data": {key: base64.b64encode(value.encode()).decode() for key, value in data.items()},
    }
    path = trade.space.path("Secret")
    if trade.space.find("Secret", "database") is None:
        trade.space.api.create(path, manifest).expect()
    else:
        trade.space.api.merge(f"{path}/database", manifest).expect()


def pods(trade: Operated) -> set[str]:
    """Their uids."""
    found = trade.pods(runtime_name("peer0", "rolling:1.0"))
    return {pod["metadata"]["uid"] for pod in found}


def keep_busy(trade: Operated, old: set[str], answers: list[str]) -> None:
    """Transactions of five seconds, two at a time, until the pods *old* are gone."""
    with (
        apart(trade) as own,
        apart(trade) as one,
        apart(trade) as two,
        ThreadPoolExecutor(2) as pool,
    ):
        while old & everything(own):
            answers += pool.map(slept, [one, two])


@contextmanager
def apart(trade: Operated) -> Iterator[Operated]:
    """For a thread of its own: connections serve one."""
    api = trade.machine.plane.connection()
    yield replace(trade, space=Namespace(api, trade.space.name))
    api.close()


def everything(trade: Operated) -> set[str]:
    """The uids of all pods, also of those that are ending."""
    return {pod["metadata"]["uid"] for pod in trade.space.all("Pod")}


def slept(trade: Operated) -> str:
    """Empty, or why a transaction of five seconds has failed."""
    try:
        trade.query("rolling", "sleep", "5000")
    except ClientError as error:
        return str(error)
    return ""


def test_another_value_of_a_secret_replaces_the_pods_and_no_transaction_is_lost(
    trade: Operated,
) -> None:
    apply_secret(trade, "first")
    reads = {"secretKeyRef": {"name": "database", "key": "password"}}
    trade.space.create_package(
        "rolling-1.0", **package_of(go_files(), name="rolling", version="1.0")
    )
    trade.instantiate(
        "rolling",
        "rolling-1.0",
        init={"args": ["init", "a", "1"]},
        runtime={"env": [{"name": "PASSWORD", "valueFrom": reads}]},
    )
    trade.ready(KIND, "rolling", within=240)
    before = pods(trade)
    assert len(before) == 1
    answers: list[str] = []
    busy = Thread(target=keep_busy, args=(trade, before, answers), daemon=True)
    busy.start()
    deployment = trade.space.get("Deployment", runtime_name("peer0", "rolling:1.0"))
    apply_secret(trade, "first", "another key of it")
    apply_secret(trade, "second", "another key of it")
    wait_until(
        lambda: len(pods(trade)) == 1 and not before & pods(trade),
        within=60,
        what="another pod",
    )
    after = trade.space.get("Deployment", runtime_name("peer0", "rolling:1.0"))
    assert after["metadata"]["generation"] == deployment["metadata"]["generation"] + 1
    trade.ready(KIND, "rolling")
    busy.join(120)
    assert not busy.is_alive()
    assert len(answers) > 1
    assert set(answers) == {""}, answers
