"""A simulation reads one height, records what it saw, and refuses what Fabric refuses."""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice
from typing import Any

import pytest
from fabric_protos.ledger.rwset.kvrwset.kv_rwset_pb2 import KVRWSet, RangeQueryInfo
from fabric_protos.ledger.rwset.rwset_pb2 import TxReadWriteSet
from treadle_peer.ledger import LedgerError, SimulationError


def content(results: bytes, namespace: str = "ns") -> KVRWSet:
    sets = TxReadWriteSet.FromString(results).ns_rwset
    return next(KVRWSet.FromString(each.rwset) for each in sets if each.namespace == namespace)


@pytest.fixture
def rows(chain: Any) -> Any:
    """A chain with r0000 … r0249 in one block."""
    chain.put(**{f"r{number:04d}": b"v" for number in range(250)})
    return chain


def range_info(chain: Any, pulls: int, start: str = "r", end: str = "s") -> RangeQueryInfo:
    def work(simulator: Any) -> None:
        results = simulator.range("ns", start, end)
        for _ in islice(results, pulls):
            pass
        results.close()

    (info,) = content(chain.simulate(work)).range_queries_info
    return info


def test_nothing_touched_gives_empty_results(chain: Any) -> None:
    assert chain.simulate(lambda simulator: None) == b""


def test_own_writes_are_not_seen(chain: Any) -> None:
    chain.put(a=b"old")
    with chain.ledger.simulator("tx") as simulator:
        simulator.set_state("ns", "a", b"new")
        simulator.set_state("ns", "b", b"new")
        assert simulator.get_state("ns", "a") == b"old"
        assert simulator.get_state("ns", "b") is None
        assert [each.key for each in simulator.range("ns", "", "")] == ["a"]


def test_reads_carry_versions_and_missing_keys_none(chain: Any) -> None:
    chain.put(a=b"1")
    found = content(chain.simulate(lambda s: [s.get_state("ns", key) for key in ("z", "a", "a")]))
    assert [read.key for read in found.reads] == ["a", "z"]
    assert (found.reads[0].version.block_num, found.reads[0].version.tx_num) == (1, 0)
    assert not found.reads[1].HasField("version")


def test_version_zero_is_present_though_empty(chain: Any) -> None:
    found = content(chain.simulate(lambda s: s.get_state("", "CHANNEL_CONFIG_ENV_BYTES")), "")
    assert found.reads[0].HasField("version")
    assert found.reads[0].version.ByteSize() == 0


def test_the_last_write_wins_and_an_empty_value_deletes(chain: Any) -> None:
    def work(simulator: Any) -> None:
        simulator.set_state("ns", "b", b"1")
        simulator.set_state("ns", "b", b"2")
        simulator.set_state("ns", "a", b"")
        simulator.delete_state("ns", "c")
        simulator.set_state("ns", "", b"empty key")

    writes = content(chain.simulate(work)).writes
    assert [(each.key, each.value, each.is_delete) for each in writes] == [
        ("", b"empty key", False),
        ("a", b"", True),
        ("b", b"2", False),
        ("c", b"", True),
    ]


def test_metadata_writes_are_sorted_and_record_no_read(chain: Any) -> None:
    def work(simulator: Any) -> None:
        simulator.set_state_metadata("ns", "k", {"z": b"1", "a": b"2"})
        simulator.set_state_metadata("ns", "a", {})

    found = content(chain.simulate(work))
    assert not found.reads
    assert [each.key for each in found.metadata_writes] == ["a", "k"]
    assert [each.name for each in found.metadata_writes[1].entries] == ["a", "z"]


def test_namespaces_are_sorted(chain: Any) -> None:
    results = chain.simulate(lambda s: [s.get_state(name, "k") for name in ("b", "\x00", "a")])
    names = [each.namespace for each in TxReadWriteSet.FromString(results).ns_rwset]
    assert names == ["\x00", "a", "b"]


def test_a_range_read_to_its_end_is_hashed_and_exhausted(rows: Any) -> None:
    info = range_info(rows, 1000)
    assert (info.start_key, info.end_key, info.itr_exhausted) == ("r", "s", True)
    summary = info.reads_merkle_hashes
    assert (summary.max_degree, summary.max_level, len(summary.max_level_hashes)) == (50, 1, 5)


def test_a_range_closed_after_the_first_batch_ends_at_the_looked_ahead_key(rows: Any) -> None:
    info = range_info(rows, 101)
    assert (info.end_key, info.itr_exhausted) == ("r0100", False)
    assert len(info.reads_merkle_hashes.max_level_hashes) == 2


@pytest.mark.parametrize(("pulls", "hashed"), [(50, False), (51, True)])
def test_fifty_results_stay_raw(rows: Any, pulls: int, hashed: bool) -> None:
    info = range_info(rows, pulls)
    assert info.HasField("reads_merkle_hashes") is hashed
    assert len(info.raw_reads.kv_reads) == (0 if hashed else pulls)


def test_a_range_nobody_pulled_from_has_no_end_and_no_results(rows: Any) -> None:
    info = range_info(rows, 0)
    assert (info.start_key, info.end_key, info.itr_exhausted) == ("r", "", False)
    assert info.WhichOneof("reads_info") is None


def test_an_empty_range_is_exhausted_without_results(rows: Any) -> None:
    info = range_info(rows, 5, "x", "y")
    assert (info.end_key, info.itr_exhausted) == ("y", True)
    assert info.WhichOneof("reads_info") is None


def test_equal_range_queries_collapse_and_others_keep_their_order(rows: Any) -> None:
    def work(simulator: Any) -> None:
        for start, end in (("r02", "r03"), ("r01", "r02"), ("r02", "r03")):
            list(simulator.range("ns", start, end))

    infos = content(rows.simulate(work)).range_queries_info
    assert [info.start_key for info in infos] == ["r02", "r01"]
    assert not content(rows.simulate(work)).reads


def test_pages_follow_each_other_by_bookmark(rows: Any) -> None:
    with rows.ledger.simulator("tx") as simulator:
        first = simulator.range_page("ns", "r", "s", page_size=100)
        second = simulator.range_page("ns", first.bookmark, "s", page_size=100)
        third = simulator.range_page("ns", second.bookmark, "s", page_size=100)
        infos = content(simulator.results()).range_queries_info
    assert [len(page.results) for page in (first, second, third)] == [100, 100, 50]
    assert [page.bookmark for page in (first, second, third)] == ["r0100", "r0200", ""]
    assert [(info.start_key, info.end_key, info.itr_exhausted) for info in infos] == [
        ("r", "r0099", False),
        ("r0100", "r0199", False),
        ("r0200", "s", True),
    ]
    assert len(infos[2].raw_reads.kv_reads) == 50


def test_a_page_that_ends_with_the_range_is_not_exhausted(rows: Any) -> None:
    with rows.ledger.simulator("tx") as simulator:
        page = simulator.range_page("ns", "r", "s", page_size=250)
        (info,) = content(simulator.results()).range_queries_info
    assert (len(page.results), page.bookmark) == (250, "")
    assert (info.end_key, info.itr_exhausted) == ("r0249", False)


WRITES: list[Callable[[Any], object]] = [
    lambda s: s.set_state("ns", "k", b"v"),
    lambda s: s.delete_state("ns", "k"),
    lambda s: s.set_state_metadata("ns", "k", {"a": b"b"}),
]


@pytest.mark.parametrize("write", WRITES)
def test_a_write_after_a_page_is_refused(rows: Any, write: Callable[[Any], object]) -> None:
    with rows.ledger.simulator("abc") as simulator:
        simulator.range_page("ns", "r", "s", page_size=1)
        with pytest.raises(SimulationError) as refusal:
            write(simulator)
    assert str(refusal.value) == (
        "txid [abc]: unsuppored transaction. Transaction has already performed a paginated "
        "query. Writes are not allowed"
    )


@pytest.mark.parametrize("write", WRITES)
def test_a_page_after_a_write_is_refused(rows: Any, write: Callable[[Any], object]) -> None:
    with rows.ledger.simulator("abc") as simulator:
        write(simulator)
        with pytest.raises(SimulationError) as refusal:
            simulator.range_page("ns", "r", "s", page_size=1)
    assert str(refusal.value) == (
        "txid [abc]: unsuppored transaction. Paginated queries are supported only in a "
        "read-only transaction"
    )


def test_results_stay_the_same_and_end_the_simulation(rows: Any) -> None:
    with rows.ledger.simulator("tx") as simulator:
        results = simulator.range("ns", "r", "s")
        next(results)
        simulator.set_state("ns", "k", b"v")
        first = simulator.results()
        with pytest.raises(SimulationError, match="should not be used after"):
            next(results)
        with pytest.raises(SimulationError, match="should not be used after"):
            simulator.set_state("ns", "k", b"w")
        assert simulator.results() == first


def test_a_closed_simulation_answers_nothing(rows: Any) -> None:
    simulator = rows.ledger.simulator("tx")
    results = simulator.range("ns", "r", "s")
    simulator.close()
    simulator.close()
    uses: list[Callable[[], object]] = [
        lambda: simulator.get_state("ns", "r0000"),
        lambda: simulator.range("ns", "", ""),
        lambda: next(results),
        simulator.results,
    ]
    for use in uses:
        with pytest.raises(SimulationError, match="should not be used after"):
            use()


def test_a_closed_iterator_just_stops(rows: Any) -> None:
    with rows.ledger.simulator("tx") as simulator:
        results = simulator.range("ns", "r", "s")
        next(results)
        results.close()
        results.close()
        assert list(results) == []
        (info,) = content(simulator.results()).range_queries_info
        assert (info.end_key, info.itr_exhausted) == ("r0000", False)


def test_a_simulation_on_a_closed_ledger_fails(rows: Any) -> None:
    simulator = rows.ledger.simulator("tx")
    results = simulator.range("ns", "r", "s")
    next(results)
    rows.ledger.close()
    with pytest.raises(LedgerError, match="the ledger is closed"):
        simulator.get_state("ns", "r0000")
    with pytest.raises(LedgerError, match="the ledger is closed"):
        next(results)
    with pytest.raises(LedgerError, match="the ledger is closed"):
        rows.ledger.simulator("tx")
    simulator.close()
