"""An operator that dies at one of its calls, and the next one, which ends what it has begun.

Calls are writes to the API server and everything that is asked of the peer, in one order.
"""

from __future__ import annotations

import json
import os
import re
import signal
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from harness.operating.calls import PeerCalls
from harness.operating.fixtures import is_quiet, metric
from harness.operating.operated import Operated
from harness.operating.process import OperatorProcess
from harness.operating.proxy import Moment, Proxy
from harness.operating.steps import Steps
from harness.operating.world import Body
from harness.processes import wait_until

Say = Callable[[str], None]
KIND = "ChaincodeInstantiation"
EVERY = int(os.environ.get("TREADLE_KILL_EVERY", "40"))
"""How many points an enumeration goes on by; 1: it takes all of them."""
FROM = int(os.environ.get("TREADLE_KILL_FROM", "0"))
"""How many points it passes over, for going on where one was ended."""


class Story(Protocol):
    """What is asked of an operator. *name* is part of the names of all objects of it, and *words*
    in them, names and versions, stand for something in every run: they are compared as that.
    """

    @property
    def name(self) -> str: ...

    @property
    def words(self) -> dict[str, str]: ...

    def ask(self) -> None:
        """Write what is wanted."""

    def is_done(self) -> bool:
        """Whether all of it is there, and nothing else."""

    def inits(self) -> int:
        """How often an Init has written on the ledger."""

    def tidy(self) -> None:
        """Take away what the next one would find, and wait until it is gone."""


@dataclass(frozen=True, slots=True)
class Left:
    """What a run leaves: objects, blocks that it added, and how often Init wrote."""

    objects: dict[str, Body]
    blocks: int
    inits: int


def run(trade: Operated, folder: Path, steps: Steps, story: Story) -> Left:
    """The story, by one operator or by two."""
    height, inits = trade.height(), story.inits()
    server = f"https://127.0.0.1:{trade.machine.plane.port}"
    numbers: dict[int, int] = {}

    def act(number: int, moment: Moment) -> bool:
        if moment == "before":
            numbers[number] = steps.begin(proxy.begun[number - 1])
        return steps.act(numbers[number], moment)

    proxy = Proxy(server, act)
    with proxy, PeerCalls(trade, steps, folder / "hosts") as calls:
        with trade.start(
            folder, name=f"{story.name}-1", server=proxy.url, hosts=calls.hosts
        ) as first:
            steps.victim = first.pid
            is_quiet(first, reconciles=1)
            trade.ready("Peer", "peer0")
            steps.count_from_now()
            story.ask()
            wait_until(lambda: _is_over(story, first), within=480, what="a kill, or the end")
            if steps.killed:
                assert first.started.wait(within=30) == -signal.SIGKILL
        steps.counting = False
        with trade.start(
            folder, name=f"{story.name}-2", server=proxy.url, hosts=calls.hosts
        ) as second:
            wait_until(story.is_done, within=480, what=f"the end of {story.name}")
            is_quiet(second, reconciles=1)
            left = Left(_objects(trade, story), trade.height() - height, story.inits() - inits)
            story.tidy()
    return left


def _is_over(story: Story, operator: OperatorProcess) -> bool:
    """Whether it was killed, or has nothing left to do: a run may need a call less than another."""
    try:
        waiting = metric(operator, "treadle_operator_waiting")
    except OSError:
        return not operator.started.running()
    return waiting == 0 and story.is_done()


def hold(
    trade: Operated, folder: Path, say: Say, *, stories: Callable[[], Story], every: int
) -> None:
    """Run the story undisturbed, then once for each point; all of them have to leave the same."""
    clean = Steps()
    wanted = run(trade, folder, clean, stories())
    assert (wanted.blocks, wanted.inits) == (1, 1)
    total = len(clean.told)
    moments: tuple[Moment, ...] = ("before", "after")
    points: list[tuple[int, Moment]] = [(k, m) for k in range(1, total + 1) for m in moments]
    chosen = points[FROM + every // 2 :: every]
    say(f"{len(chosen)} of {len(points)} points around {total} calls")
    reached = 0
    for number, moment in chosen:
        steps = Steps(at=number, moment=moment)
        found = run(trade, folder, steps, stories())
        reached += steps.killed
        last = steps.told[number - 1] if steps.killed else "not reached"
        _compare(found, wanted, f"killed {moment} call {number} of {total}, {last}")
    say(f"{reached} of them were reached")
    assert reached > len(chosen) // 2


def _compare(found: Left, wanted: Left, about: str) -> None:
    assert (found.blocks, found.inits) == (wanted.blocks, wanted.inits), about
    assert found.objects.keys() == wanted.objects.keys(), about
    for key, body in found.objects.items():
        assert body == wanted.objects[key], f"{key}, {about}"


def _objects(trade: Operated, story: Story) -> dict[str, Body]:
    """Everything of this chaincode but its pods, and Events, whose number depends on who saw what.

    Of what controllers fill in and of certificates, only what the operator decides.
    """
    decided = {"Job": _pod_of, "Deployment": _pod_of, "Secret": _keys_of}
    found = {}
    for key, body in trade.space.dump().items():
        kind = key.split()[0]
        if story.name in key and kind not in {"Event", "Pod"}:
            found[key] = decided.get(kind, dict)(body)
    # The name is part of what is packed, and of what was built.
    text = re.sub(r"\b[0-9a-f]{64}\b", "HASH", json.dumps(found))
    text = re.sub(rf"({story.name}-[a-z0-9-]+?)-[0-9a-f]{{10}}\b", r"\1-SHORT", text)
    for word, stands_for in story.words.items():
        text = text.replace(word, stands_for)
    return dict(json.loads(text))


def _pod_of(body: Body) -> Body:
    return {**_belonging(body), "pod": body["spec"]["template"]["spec"]}


def _keys_of(secret: Body) -> Body:
    return {**_belonging(secret), "keys": sorted(secret["data"])}


def _belonging(body: Body) -> Body:
    return {key: body["metadata"][key] for key in ("labels", "owners")}
