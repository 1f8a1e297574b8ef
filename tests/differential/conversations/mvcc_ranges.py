"""Which range queries still hold when a transaction is committed (wire §5.6, §4.6)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from fabric_protos.ledger.rwset.kvrwset.kv_rwset_pb2 import (
    KVRead,
    KVRWSet,
    KVWrite,
    QueryReads,
    QueryReadsMerkleSummary,
    RangeQueryInfo,
    Version,
)
from harness.differential.blocks_talk import BlocksTalk
from harness.differential.catalog import conversation
from treadle_peer.ledger.merkle import RangeResults
from treadle_peer.ledger.values import Version as LedgerVersion

Found = Mapping[str, tuple[int, int]]


def read(key: str, version: tuple[int, int]) -> KVRead:
    """One result of a query."""
    return KVRead(key=key, version=Version(block_num=version[0], tx_num=version[1]))


def query(start: str, end: str, found: Found, *, exhausted: bool = True) -> RangeQueryInfo:
    """A range query with these results."""
    reads = QueryReads(kv_reads=[read(key, version) for key, version in found.items()])
    return RangeQueryInfo(start_key=start, end_key=end, itr_exhausted=exhausted, raw_reads=reads)


def ranged(talk: BlocksTalk, *queries: RangeQueryInfo, **writes: str) -> bytes:
    """A transaction that made these queries."""
    content = KVRWSet(range_queries_info=queries)
    content.writes.extend(KVWrite(key=key, value=value.encode()) for key, value in writes.items())
    return talk.effect(content)


@conversation(
    "rangeholds", "a range holds while it has the same keys and versions", "5.6", rig="blocks"
)
async def holds(talk: BlocksTalk) -> None:
    await talk.open()
    await talk.commit(talk.change(a="1", b="1", c="1"))
    a, b, c = ((key, (2, 0)) for key in "abc")
    await talk.commit(
        ranged(talk, query("a", "d", dict([a, b, c]))),
        ranged(talk, query("a", "d", dict([a, b]))),
        ranged(talk, query("a", "d", dict([a, c]))),
        ranged(talk, query("a", "d", {"a": (2, 0), "b": (2, 1), "c": (2, 0)})),
        ranged(talk, query("a", "d", dict([a, b, c]) | {"cc": (2, 0)})),
        ranged(talk, query("a", "d", dict([b, a, c]))),
        ranged(talk, query("a", "c", dict([a, b]))),
        ranged(talk, query("x", "z", {})),
        ranged(talk, query("a", "z", {})),
        ranged(talk, query("", "", dict([a, b, c]))),
        ranged(talk, query("b", "", dict([b, c]))),
        ranged(talk, query("", "b", dict([a]))),
        ranged(talk, query("d", "a", {})),
        ranged(talk, query("a", "a", {})),
    )


@conversation(
    "rangestopped",
    "a query that was left early ends with the last key it saw",
    "5.6",
    "4.6",
    rig="blocks",
)
async def stopped(talk: BlocksTalk) -> None:
    await talk.open()
    await talk.commit(talk.change(a="1", b="1", c="1"))
    seen = {"a": (2, 0), "b": (2, 0)}
    await talk.commit(
        ranged(talk, query("a", "b", seen, exhausted=False)),
        ranged(talk, query("a", "b", seen)),
        ranged(talk, query("a", "c", seen, exhausted=False)),
        ranged(talk, query("a", "", {}, exhausted=False)),
        ranged(talk, query("a", "a", {"a": (2, 0)}, exhausted=False)),
        ranged(talk, query("a", "bb", seen, exhausted=False)),
        talk.change(b="2"),
        ranged(talk, query("a", "b", seen, exhausted=False)),
        ranged(talk, query("a", "b", {"a": (2, 0), "b": (3, 6)}, exhausted=False)),
        talk.change(b=""),
        ranged(talk, query("a", "b", {"a": (2, 0)}, exhausted=False)),
    )


@conversation(
    "phantoms", "keys that came, went or changed within the block are phantoms", "5.6", rig="blocks"
)
async def phantoms(talk: BlocksTalk) -> None:
    await talk.open()
    await talk.commit(talk.change(a="1", c="1", e="1"))
    seen = {"a": (2, 0), "c": (2, 0)}
    after = query("a", "d", seen)
    await talk.commit(ranged(talk, after), talk.change(b="1"), ranged(talk, after, w="1"))
    await talk.commit(
        ranged(talk, query("a", "d", seen | {"b": (3, 1)})),
        ranged(talk, query("a", "d", {"a": (2, 0), "b": (3, 1), "c": (2, 0)})),
        talk.change(b=""),
        ranged(talk, query("a", "d", seen)),
        talk.change(c="2"),
        ranged(talk, query("a", "d", seen)),
        ranged(talk, query("a", "d", {"a": (2, 0), "c": (4, 4)})),
        talk.change(e="2"),
        ranged(talk, query("a", "e", {"a": (2, 0), "c": (4, 4)})),
        talk.change(reads={"a": (9, 9)}, aa="1"),
        ranged(talk, query("a", "c", {"a": (2, 0)})),
        talk.change(policies={"a": "Org1MSP"}),
        ranged(talk, query("a", "b", {"a": (2, 0)})),
    )
    await talk.probe("range a z")


@conversation(
    "rangeown", "a transaction's own writes do not touch its queries", "5.6", rig="blocks"
)
async def own_writes(talk: BlocksTalk) -> None:
    await talk.open()
    await talk.commit(talk.change(a="1"))
    await talk.commit(ranged(talk, query("a", "z", {"a": (2, 0)}), a="2", b="1"))
    await talk.commit(ranged(talk, query("a", "z", {"a": (3, 0), "b": (3, 0)})))


@conversation(
    "rangeseveral", "all queries must hold, and reads are looked at first", "5.6", rig="blocks"
)
async def several(talk: BlocksTalk) -> None:
    await talk.open()
    await talk.commit(talk.change(a="1", b="1"))
    good, bad = query("a", "b", {"a": (2, 0)}), query("a", "z", {})
    both = KVRWSet(range_queries_info=[bad], reads=[read("a", (9, 9))])
    await talk.commit(
        ranged(talk, good, good),
        ranged(talk, good, bad),
        ranged(talk, bad, good),
        talk.effect(both),
        talk.effect(KVRWSet(range_queries_info=[good], reads=[read("a", (9, 9))])),
        talk.effect(KVRWSet(range_queries_info=[bad], reads=[read("a", (2, 0))])),
    )


@conversation("rangeblank", "a query without results and without summary", "5.6", rig="blocks")
async def blank(talk: BlocksTalk) -> None:
    await talk.open()
    await talk.commit(talk.change(a="1"))
    for start, end in (("a", "z"), ("x", "z"), ("", "")):
        info = RangeQueryInfo(start_key=start, end_key=end, itr_exhausted=True)
        await talk.commit(ranged(talk, info))


def summary(start: str, end: str, keys: Iterable[str], *, degree: int = 50) -> RangeQueryInfo:
    """A query of *keys*, all of version 2.0, kept as hashes."""
    results = RangeResults(degree)
    for key in keys:
        results.add(key, LedgerVersion(2, 0))
    hashes = results.finish()
    assert isinstance(hashes, QueryReadsMerkleSummary)
    return RangeQueryInfo(
        start_key=start, end_key=end, itr_exhausted=True, reads_merkle_hashes=hashes
    )


@conversation(
    "rangesummary",
    "a long query is kept as hashes, which must come out the same",
    "5.6",
    "4.6",
    rig="blocks",
)
async def summaries(talk: BlocksTalk) -> None:
    await talk.open()
    keys = [f"k{index:03}" for index in range(98)]
    await talk.commit(talk.change(**dict.fromkeys(keys, "1")))
    for end in ("k050", "k051", "k052", "l"):
        await talk.probe(f"range k {end}")
    await talk.commit(
        ranged(talk, summary("k", "l", keys)),
        ranged(talk, summary("k", "l", keys[:-1])),
        ranged(talk, summary("k", "k060", keys[:60])),
        ranged(talk, summary("k", "l", [*keys, "k99"])),
        ranged(talk, summary("k", "l", keys[1:])),
        ranged(talk, summary("k", "l", keys, degree=7)),
        talk.change(k050="2"),
        ranged(talk, summary("k", "l", keys)),
    )


@conversation(
    "rangelevels", "the hashes of a very long query are hashed again", "5.6", "4.6", rig="blocks"
)
async def levels(talk: BlocksTalk) -> None:
    await talk.open()
    keys = [f"k{index:03}" for index in range(90)]
    await talk.commit(talk.change(**dict.fromkeys(keys, "1")))
    for degree in (2, 3, 4, 5, 8, 9):
        await talk.commit(
            ranged(talk, summary("k", "l", keys, degree=degree)),
            ranged(talk, summary("k", "k089", keys[:-1], degree=degree)),
            ranged(talk, summary("k", "l", keys[:-1], degree=degree)),
        )


@conversation("rangeforged", "summaries that do not come out are phantoms", "5.6", rig="blocks")
async def forged_summaries(talk: BlocksTalk) -> None:
    await talk.open()
    await talk.commit(talk.change(**{f"k{index:03}": "1" for index in range(60)}))

    def invented(degree: int, level: int, *hashes: bytes) -> RangeQueryInfo:
        merkle = QueryReadsMerkleSummary(
            max_degree=degree, max_level=level, max_level_hashes=hashes
        )
        return RangeQueryInfo(
            start_key="k", end_key="l", itr_exhausted=True, reads_merkle_hashes=merkle
        )

    await talk.commit(
        ranged(talk, invented(50, 1)),
        ranged(talk, invented(50, 1, b"x" * 32)),
        ranged(talk, invented(50, 1, b"x" * 32, b"y" * 32)),
        ranged(talk, invented(50, 9, b"x" * 32)),
        ranged(talk, invented(2, 1, b"x" * 32)),
        ranged(talk, invented(100, 1, b"x" * 32)),
    )
