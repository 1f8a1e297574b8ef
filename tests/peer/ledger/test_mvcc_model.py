"""Random blocks against a naive model that keeps the whole state of every height."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from treadle_peer.ledger import Simulator

VALID, MVCC, PHANTOM = 0, 11, 12
Key = tuple[str, str]


@dataclass(frozen=True)
class Content:
    value: bytes
    metadata: dict[str, bytes]
    version: tuple[int, int]


State = dict[Key, Content]


@dataclass
class Trace:
    """What a transaction saw and did, as the model understands it."""

    reads: list[tuple[str, str, tuple[int, int] | None]] = field(default_factory=list)
    ranges: list[tuple[str, str, str, bool, list[tuple[str, tuple[int, int]]]]] = field(
        default_factory=list
    )
    writes: dict[Key, bytes] = field(default_factory=dict)
    metadata: dict[Key, dict[str, bytes]] = field(default_factory=dict)


def keys_between(state: State, namespace: str, start: str, end: str | None) -> list[str]:
    return sorted(
        key
        for name, key in state
        if name == namespace and start <= key and (end is None or key < end)
    )


def run(simulator: Simulator, state: State, operations: list[tuple[Any, ...]]) -> Trace:
    """Run on the simulator, and check every answer against the model's state."""
    trace = Trace()
    for name, namespace, key, *rest in operations:
        content = state.get((namespace, key))
        match name:
            case "get":
                assert simulator.get_state(namespace, key) == (content and content.value)
                trace.reads.append((namespace, key, content and content.version))
            case "getmeta":
                found = simulator.get_state_metadata(namespace, key)
                assert found == (content.metadata if content else {})
                trace.reads.append((namespace, key, content and content.version))
            case "put":
                simulator.set_state(namespace, key, rest[0])
                trace.writes[namespace, key] = rest[0]
            case "meta":
                simulator.set_state_metadata(namespace, key, rest[0])
                trace.metadata[namespace, key] = rest[0]
            case "range":
                run_range(simulator, state, trace, namespace=namespace, start=key, rest=rest)
    return trace


def run_range(
    simulator: Simulator,
    state: State,
    trace: Trace,
    *,
    namespace: str,
    start: str,
    rest: list[Any],
) -> None:
    end, limit = rest
    expected = keys_between(state, namespace, start, end or None)
    results = simulator.range(namespace, start, end)
    pulled = [*islice(results, limit)]
    assert [each.key for each in pulled] == expected[:limit]
    assert [each.value for each in pulled] == [
        state[namespace, key].value for key in expected[:limit]
    ]
    seen = [(key, state[namespace, key].version) for key in expected[:limit]]
    exhausted = len(expected) < limit
    trace.ranges.append((namespace, start, end if exhausted else seen[-1][0], exhausted, seen))


def judge(trace: Trace, state: State, touched: set[Key]) -> int:
    """Fabric's verdict, by the book."""
    spaces = {each[0] for each in (*trace.reads, *trace.ranges)}
    for namespace in sorted(spaces):
        for name, key, version in trace.reads:
            if name == namespace:
                content = state.get((name, key))
                if (name, key) in touched or (content and content.version) != version:
                    return MVCC
        for name, start, end, exhausted, seen in trace.ranges:
            if name == namespace:
                if not exhausted and end == "":
                    # The last key pulled is the empty one: Fabric takes it for an open end.
                    return PHANTOM
                keys = keys_between(state, name, start, end or None)
                if not exhausted and (name, end) in state:
                    keys.append(end)
                if [(key, state[name, key].version) for key in keys] != seen:
                    return PHANTOM
    return VALID


def apply(trace: Trace, state: State, touched: set[Key], version: tuple[int, int]) -> None:
    for key in {*trace.writes, *trace.metadata}:
        former = state.get(key)
        if key in trace.writes:
            value = trace.writes[key]
        elif former is not None:
            value = former.value
        else:
            continue
        metadata = trace.metadata.get(key, former.metadata if former else {})
        touched.add(key)
        if value:
            state[key] = Content(value, metadata, version)
        else:
            state.pop(key, None)


NAMESPACES = st.sampled_from(["n1", "n1", "n1", "n1\x00"])
KEYS = st.sampled_from(["", "\x00a\x00", "a", "ab", "鍵"])
VALUES = st.sampled_from([b"", b"x", b"y"])
METADATA = st.dictionaries(st.sampled_from(["p", "q"]), VALUES, max_size=2)
OPERATIONS = st.one_of(
    st.tuples(st.sampled_from(["get", "getmeta"]), NAMESPACES, KEYS),
    st.tuples(st.just("put"), NAMESPACES, KEYS, VALUES),
    st.tuples(st.just("put"), NAMESPACES, KEYS, VALUES),
    st.tuples(st.just("meta"), NAMESPACES, KEYS, METADATA),
    st.tuples(st.just("range"), NAMESPACES, KEYS, KEYS, st.integers(1, 6)),
)
TRANSACTIONS = st.tuples(st.integers(0, 3), st.lists(OPERATIONS, max_size=5))
BLOCKS = st.lists(st.lists(TRANSACTIONS, max_size=5), min_size=1, max_size=7)


@settings(max_examples=100, deadline=None)
@given(blocks=BLOCKS)
def test_codes_answers_and_state_agree_with_the_model(
    make_chain: Callable[..., Any], blocks: list[list[tuple[int, list[tuple[Any, ...]]]]]
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        chain = make_chain(Path(folder) / "ledger", durable=False)
        states: list[State] = [{}]
        # simulators[n]: begun when the model had n states; work is done when the block is due.
        due: dict[int, list[tuple[int, Simulator, list[tuple[Any, ...]]]]] = {}
        for number, transactions in enumerate(blocks):
            for delay, operations in transactions:
                simulator = chain.ledger.simulator("tx")
                due.setdefault(number + delay, []).append((number, simulator, operations))
            commit(chain, states, due.pop(number, []))
        for leftover in (simulator for each in due.values() for _, simulator, _ in each):
            leftover.close()
        check_state(chain, states[-1])
        assert chain.ledger.verify() == []
        chain.ledger.close()


def commit(
    chain: Any, states: list[State], due: list[tuple[int, Simulator, list[tuple[Any, ...]]]]
) -> None:
    traces, results = [], []
    for begun, simulator, operations in due:
        with simulator:
            traces.append(run(simulator, states[begun], operations))
            results.append(simulator.results())
    state, touched = dict(states[-1]), set[Key]()
    expected = []
    for index, trace in enumerate(traces):
        expected.append(judge(trace, state, touched))
        if expected[-1] == VALID:
            apply(trace, state, touched, (chain.ledger.height, index))
    assert chain.commit_results(*results).codes == expected
    states.append(state)


def check_state(chain: Any, state: State) -> None:
    with chain.ledger.reader() as reader:
        for namespace in ("n1", "n1\x00"):
            found = [(each.key, each.value) for each in reader.range(namespace, "", "")]
            keys = keys_between(state, namespace, "", None)
            assert found == [(key, state[namespace, key].value) for key in keys]
            for key in keys:
                content = reader.get(namespace, key)
                assert content is not None
                assert (content.version.block, content.version.tx) == state[namespace, key].version
                assert reader.get_state_metadata(namespace, key) == state[namespace, key].metadata
