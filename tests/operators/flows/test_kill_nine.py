"""The operator dies at any of its calls; the next one ends where an undisturbed one does.

Calls are writes to the API server and everything that is asked of the peer, in one order.
``TREADLE_KILL_EVERY`` says how many points the long test goes on by (default 20; 1: all of them).
"""

from __future__ import annotations

import json
import os
import re
import signal
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import pytest
from harness.nodes.machine import Machine
from harness.operating.calls import PeerCalls
from harness.operating.fixtures import is_quiet, metric
from harness.operating.operated import Operated, go_files, new_operated, package_of
from harness.operating.process import OperatorProcess
from harness.operating.proxy import Moment, Proxy
from harness.operating.steps import Steps
from harness.operating.world import Body
from harness.processes import wait_until

pytestmark = [
    pytest.mark.kubernetes,
    pytest.mark.process_node,
    pytest.mark.toolchain("go"),
]

Say = Callable[[str], None]
KIND = "ChaincodeInstantiation"
EVERY = int(os.environ.get("TREADLE_KILL_EVERY", "20"))
_COUNT = count(1)


@dataclass(frozen=True, slots=True)
class Left:
    """What a run leaves: objects, blocks that it added, and how often Init wrote."""

    objects: dict[str, Body]
    blocks: int
    inits: int


@pytest.fixture(scope="module")
def alone(machine: Machine, tmp_path_factory: pytest.TempPathFactory) -> Operated:
    """A ready peer, and nobody who operates it."""
    made = new_operated(machine)
    with made.start(tmp_path_factory.mktemp("first"), name="first"):
        made.space.create_peer()
        made.ready("Peer", "peer0")
    return made


def run(trade: Operated, folder: Path, steps: Steps) -> Left:
    """One chaincode from its sources to Ready, by one operator or by two."""
    # In no source and no hash, which are compared, too; and none begins as another one does.
    name = f"killing{next(_COUNT):03}"
    height = trade.height()
    numbers: dict[int, int] = {}

    def act(number: int, moment: Moment) -> bool:
        if moment == "before":
            numbers[number] = steps.begin("API")
        return steps.act(numbers[number], moment)

    server = f"https://127.0.0.1:{trade.machine.plane.port}"
    with Proxy(server, act) as proxy, PeerCalls(trade, steps, folder / "hosts") as calls:
        with trade.start(folder, name=f"{name}-1", server=proxy.url, hosts=calls.hosts) as first:
            steps.victim = first.pid
            is_quiet(first, reconciles=1)
            trade.ready("Peer", "peer0")
            steps.count_from_now()
            spec = package_of(go_files(), name=name, version="1.0")
            trade.space.create_package(f"{name}-1.0", **spec)
            trade.instantiate(name, f"{name}-1.0", init={"args": ["init", "a", "1"]})
            wait_until(lambda: is_over(trade, name, first), within=240, what="a kill, or the end")
            if steps.killed:
                assert first.started.wait(within=10) == -signal.SIGKILL
        steps.counting = False
        with trade.start(folder, name=f"{name}-2", server=proxy.url, hosts=calls.hosts) as second:
            finish(trade, name)
            is_quiet(second, reconciles=1)
            left = Left(objects_of(trade, name), trade.height() - height, inits(trade, name))
            forget(trade, name)
    return left


def is_over(trade: Operated, name: str, operator: OperatorProcess) -> bool:
    """Whether it was killed, or has nothing left to do: a run may need a call less than another."""
    try:
        waiting = metric(operator, "treadle_operator_waiting")
    except OSError:
        return not operator.started.running()
    return trade.reason(KIND, name)[0] == "True" and waiting == 0


def finish(trade: Operated, name: str) -> None:
    """Return once the chaincode is ready, and its Deployment, too."""
    trade.ready("ChaincodePackage", f"{name}-1.0")
    trade.ready(KIND, name, within=240)
    path = f"/apis/apps/v1/namespaces/{trade.space.name}/deployments"

    def available() -> bool:
        found = trade.space.api.get(path).expect()["items"]
        mine = [each for each in found if name in each["metadata"]["name"]]
        return len(mine) == 1 and mine[0]["status"].get("availableReplicas") == 1

    wait_until(available, within=60, what=f"the Deployment of {name}")


def inits(trade: Operated, name: str) -> int:
    """How often a was written on the ledger: only Init writes it."""
    history = json.loads(trade.query(name, "history", "a"))
    return len(history["history"] if isinstance(history, dict) else history)


def objects_of(trade: Operated, name: str) -> dict[str, Body]:
    """Everything of this chaincode but its pods, and Events, whose number depends on who saw what.

    Of what controllers fill in and of certificates, only what the operator decides.
    """
    decided = {"Job": pod_of, "Deployment": pod_of, "Secret": keys_of}
    found = {}
    for key, body in trade.space.dump().items():
        kind = key.split()[0]
        if name in key and kind not in {"Event", "Pod"}:
            found[key] = decided.get(kind, dict)(body)
    text = re.sub(rf"{name}-1-0-[0-9a-f]+", "RUNTIME", json.dumps(found)).replace(name, "NAME")
    # The name is part of what is packed, and of what was built.
    return dict(json.loads(re.sub(r"\b[0-9a-f]{64}\b", "HASH", text)))


def pod_of(body: Body) -> Body:
    return {**belonging(body), "pod": body["spec"]["template"]["spec"]}


def keys_of(secret: Body) -> Body:
    return {**belonging(secret), "keys": sorted(secret["data"])}


def belonging(body: Body) -> Body:
    return {key: body["metadata"][key] for key in ("labels", "owners")}


def forget(trade: Operated, name: str) -> None:
    """Delete it, and wait until nothing of it runs."""
    trade.space.api.delete(trade.space.path(KIND, name)).expect()
    trade.space.api.delete(trade.space.path("ChaincodePackage", f"{name}-1.0")).expect()
    wait_until(lambda: not trade.pods(f"peer0-{name}-"), within=60, what=f"the end of {name}")


def hold(trade: Operated, folder: Path, say: Say, *, every: int) -> None:
    clean = Steps()
    wanted = run(trade, folder, clean)
    assert (wanted.blocks, wanted.inits) == (1, 1)
    total = len(clean.told)
    moments: tuple[Moment, ...] = ("before", "after")
    points: list[tuple[int, Moment]] = [(k, m) for k in range(1, total + 1) for m in moments]
    chosen = points[every // 2 :: every]
    say(f"{len(chosen)} of {len(points)} points around {total} calls")
    reached = 0
    for number, moment in chosen:
        steps = Steps(at=number, moment=moment)
        found = run(trade, folder, steps)
        reached += steps.killed
        last = steps.told[number - 1] if steps.killed else "not reached"
        about = f"killed {moment} call {number} of {total}, {last}"
        assert (found.blocks, found.inits) == (wanted.blocks, wanted.inits), about
        assert found.objects.keys() == wanted.objects.keys(), about
        for key, body in found.objects.items():
            assert body == wanted.objects[key], f"{key}, {about}"
    say(f"{reached} of them were reached")
    assert reached > len(chosen) // 2


@pytest.mark.long
@pytest.mark.timeout(4 * 3600)
def test_a_kill_at_any_call_changes_nothing_in_the_end(
    alone: Operated, tmp_path: Path, say: Say
) -> None:
    hold(alone, tmp_path, say, every=EVERY)
