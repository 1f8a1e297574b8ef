"""Watchers lose nothing, and slow ones cost nothing."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest
from harness.networks import connected
from harness.operators import Operator
from harness.peers import PeerProcess
from hypothesis import given
from hypothesis import strategies as st
from treadle_peer.chaincode.runtimes import (
    Origin,
    Removed,
    Runtime,
    RuntimeState,
    Synced,
    Watch,
)
from treadle_peer.chaincode.runtimes.model import Contents, Record
from treadle_runtime.v1 import runtime_pb2 as pb

REPORTS = 600
LONG = "x" * 4000
# What gRPC buffers for a reader that does not read; else it grows to megabytes.
SMALL_WINDOW = (("grpc.http2.bdp_probe", 0), ("grpc.http2.lookahead_bytes", 16384))

NAMES = st.sampled_from(["a:1", "b:1", "c:1"])
# Set a runtime to a number, take it away (None), or let the watcher read one event.
STEPS = st.lists(st.one_of(st.tuples(NAMES, st.none() | st.integers()), st.just("read")))


def runtime(ccid: str, number: int) -> Runtime:
    return Runtime(
        record=Record(ccid=ccid, origin=Origin.CLIENT),
        contents=Contents(language="golang"),
        state=RuntimeState.REQUIRED,
        message=str(number),
        instances=0,
        since=datetime(2026, 1, 1, tzinfo=UTC),
    )


class Reader:
    """What a watcher makes of its events."""

    def __init__(self, watch: Watch) -> None:
        self.watch = watch
        self.seen: dict[str, Runtime] = {}
        self.synced_with: set[str] | None = None

    def read(self) -> bool:
        """Take one event if there is one now."""
        event = self.watch.poll()
        if event is not None:
            self.take(event)
        return event is not None

    def take(self, event: object) -> None:
        match event:
            case Synced():
                assert self.synced_with is None, "only once"
                self.synced_with = set(self.seen)
            case Removed(ccid):
                del self.seen[ccid]  # never one that was not told
            case Runtime() as told:
                self.seen[told.ccid] = told


@given(begin=st.dictionaries(NAMES, st.integers()), steps=STEPS)
def test_in_the_end_a_watcher_knows_what_is_required(
    begin: dict[str, int], steps: list[object]
) -> None:
    current = {name: runtime(name, number) for name, number in begin.items()}
    reader = Reader(Watch(current.get, list(current)))
    always = set(current)
    for step in steps:
        if not isinstance(step, tuple):
            reader.read()
            continue
        name, number = step
        if number is None:
            current.pop(name, None)
            always.discard(name)
        else:
            current[name] = runtime(name, number)
        reader.watch.changed(name)
    while reader.read():
        pass
    assert reader.seen == current
    assert reader.synced_with is not None
    assert reader.synced_with >= always & set(begin), "SYNCED comes after the list"


async def test_a_watcher_that_sleeps_wakes_for_every_change() -> None:
    current: dict[str, Runtime] = {}
    watch = Watch(current.get, [])
    assert await watch.next() == Synced()
    waiting = asyncio.create_task(watch.next())
    await asyncio.sleep(0)
    current["a:1"] = runtime("a:1", 1)
    watch.changed("a:1")
    assert await asyncio.wait_for(waiting, 5) == current["a:1"]


@pytest.mark.timeout(60)
async def test_a_slow_watcher_gets_the_latest_state_and_not_every_one(
    shared_peer: PeerProcess,
) -> None:
    async with connected(shared_peer) as network:
        for name in ("busy", "quiet", "leaving"):
            await network.install(name, "go")
    async with (
        Operator.of(shared_peer) as reporting,
        Operator.of(shared_peer, SMALL_WINDOW) as watching,
    ):
        for name in ("busy", "quiet", "leaving"):
            await reporting.require(f"{name}:1")
        watch = watching.watch()
        listed = [await watch.read() for _ in range(4)]
        assert [event.runtime.ccid for event in listed] == ["busy:1", "leaving:1", "quiet:1", ""]
        assert listed[-1].WhichOneof("event") == "synced"
        for number in range(REPORTS):
            await reporting.report("busy:1", pb.PHASE_BUILDING, message=f"{number} {LONG}")
        await reporting.release("leaving:1")
        events = [await watch.read()]
        while events[-1].removed != "leaving:1" or not latest(events).startswith(f"{REPORTS - 1} "):
            events.append(await watch.read())
        watch.cancel()
    print(f"{REPORTS} reports of 4 kB: the slow watcher got {len(events)} events")
    assert len(events) < REPORTS / 2
    rest = [one.runtime.ccid for one in events if one.HasField("runtime")]
    assert set(rest) == {"busy:1"}


def latest(events: list[pb.WatchRuntimesResponse]) -> str:
    return next((one.runtime.message for one in reversed(events) if one.HasField("runtime")), "")
