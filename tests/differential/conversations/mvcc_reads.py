"""Which reads still hold when a transaction is committed (wire §5.6)."""

from __future__ import annotations

from fabric_protos.ledger.rwset.kvrwset.kv_rwset_pb2 import KVRead, KVRWSet, KVWrite, Version
from harness.crafting import results, write_set
from harness.differential.blocks_talk import BlocksTalk
from harness.differential.catalog import conversation


@conversation("mvccreads", "a read holds while its key has the version read", "5.6", rig="blocks")
async def versions(talk: BlocksTalk) -> None:
    await talk.open()
    await talk.commit(talk.change(other="0"), talk.change(a="1", b="1"))
    await talk.commit(
        talk.change(reads={"a": (2, 1)}, w="1"),
        talk.change(reads={"a": (2, 0)}, w="2"),
        talk.change(reads={"a": (1, 1)}, w="3"),
        talk.change(reads={"a": (0, 0)}, w="4"),
        talk.change(reads={"a": None}, w="5"),
        talk.change(reads={"nothing": None}, w="6"),
        talk.change(reads={"nothing": (2, 1)}, w="7"),
        talk.change(reads={"nothing": (0, 0)}, w="8"),
        talk.change(reads={"a": (2, 1), "b": (2, 0)}, w="9"),
    )
    await talk.probe("get w", "range a z")


@conversation(
    "mvccblock", "what an earlier transaction of the block wrote was not read", "5.6", rig="blocks"
)
async def within_block(talk: BlocksTalk) -> None:
    await talk.open()
    await talk.commit(talk.change(a="1", b="1", c="1"))
    await talk.commit(
        talk.change(reads={"a": (2, 0)}, w="1"),
        talk.change(a="2"),
        talk.change(reads={"a": (2, 0)}, w="2"),
        talk.change(reads={"a": (3, 1)}, w="3"),
        talk.change(b=""),
        talk.change(reads={"b": None}, w="4"),
        talk.change(reads={"b": (2, 0)}, w="5"),
        talk.change(policies={"c": "Org1MSP"}),
        talk.change(reads={"c": (2, 0)}, w="6"),
        talk.change(reads={"a": (1, 1)}, d="1"),
        talk.change(reads={"d": None}, w="7"),
        talk.change(policies={"nothing": "Org1MSP"}),
        talk.change(reads={"nothing": None}, w="8"),
    )
    await talk.probe("get w", "range a z")


@conversation("mvccorder", "transactions are judged in the order of the block", "5.6", rig="blocks")
async def order(talk: BlocksTalk) -> None:
    await talk.open()
    await talk.commit(talk.change(a="1", b="1"))
    one = {"reads": {"a": (2, 0)}, "b": "2"}
    other = {"reads": {"b": (2, 0)}, "a": "2"}
    await talk.commit(talk.change(**one), talk.change(**other))  # type: ignore[arg-type]
    await talk.commit(talk.change(a="3", b="3"))
    one["reads"], other["reads"] = {"a": (4, 0)}, {"b": (4, 0)}
    await talk.commit(talk.change(**other), talk.change(**one))  # type: ignore[arg-type]
    await talk.probe("get a", "get b", "range a z")


@conversation(
    "mvccpositions",
    "a version counts the invalid transactions of its block, too",
    "5.6",
    rig="blocks",
)
async def positions(talk: BlocksTalk) -> None:
    await talk.open()
    await talk.commit(
        talk.forge(signature=b"none"),
        talk.forge(version="9"),
        talk.change(reads={"a": (9, 9)}, b="1"),
        talk.change(a="1"),
    )
    await talk.commit(talk.change(reads={"a": (2, 3)}), talk.change(reads={"a": (2, 0)}))
    await talk.probe("range a z")


@conversation(
    "mvccdeleted", "a deleted key has no version, and may come again", "5.6", rig="blocks"
)
async def deleted(talk: BlocksTalk) -> None:
    await talk.open()
    await talk.commit(talk.change(a="1"))
    await talk.commit(talk.change(a=""))
    await talk.commit(talk.change(reads={"a": (2, 0)}), talk.change(reads={"a": None}))
    await talk.commit(talk.change(a="2"), talk.change(a=""), talk.change(a="3"))
    await talk.commit(talk.change(reads={"a": (5, 2)}), talk.change(reads={"a": (5, 0)}))
    await talk.commit(talk.change(a="4"), talk.change(a=""))
    await talk.commit(talk.change(reads={"a": None}))
    await talk.probe("get a", "range a z")


@conversation(
    "mvccempty",
    "an empty value deletes, and so does the mark, whatever the value",
    "5.6",
    rig="blocks",
)
async def empty_values(talk: BlocksTalk) -> None:
    await talk.open()
    await talk.commit(talk.change(a="1", b="1", c="1"))
    writes = (
        KVWrite(key="a", value=b"", is_delete=False),
        KVWrite(key="b", value=b"still a value", is_delete=True),
        KVWrite(key="c", value=b"", is_delete=True),
        KVWrite(key="d", value=b"", is_delete=False),
    )
    for write in writes:
        await talk.commit(talk.effect(KVRWSet(writes=[write])))
    await talk.probe("get a", "get b", "range a z")


@conversation("mvcctwice", "a read-write set that names a key twice", "5.6", "4.6", rig="blocks")
async def named_twice(talk: BlocksTalk) -> None:
    """No simulation makes such a set; a forged one must mean the same to every peer."""
    await talk.open()
    await talk.commit(talk.change(a="1", b="1", c="1"))

    def write(key: str, value: bytes) -> KVWrite:
        return KVWrite(key=key, value=value, is_delete=not value)

    await talk.commit(talk.effect(KVRWSet(writes=[write("a", b"2"), write("a", b"3")])))
    await talk.commit(talk.effect(KVRWSet(writes=[write("new", b"2"), write("new", b"3")])))
    await talk.commit(talk.effect(KVRWSet(writes=[write("b", b""), write("b", b"3")])))
    await talk.commit(talk.effect(KVRWSet(writes=[write("c", b"3"), write("c", b"")])))
    await talk.commit(talk.effect(KVRWSet(writes=[write("z", b"1"), write("y", b"1")])))
    here = Version(block_num=2, tx_num=0)
    reads = [KVRead(key="a", version=here), KVRead(key="a")]
    await talk.commit(talk.effect(KVRWSet(reads=reads)))
    await talk.probe("range a zz", "get a", "get new", "get b", "get c")


@conversation(
    "mvccspaces", "equal keys of different namespaces are different keys", "5.6", rig="blocks"
)
async def namespaces(talk: BlocksTalk) -> None:
    await talk.open(deployed=("probe", "other"))
    of_other = results(("other", write_set(writes={"a": "1"})))
    await talk.commit(talk.change(a="1"), talk.forge(results=of_other))
    read_other = results(
        ("other", write_set(reads={"a": (2, 1)})), ("probe", write_set(writes={"w": "1"}))
    )
    crossed = results(("other", write_set(reads={"a": (2, 0)})))
    absent = results(("nobody", write_set(reads={"a": (2, 0)})))
    nothing = results(("nobody", write_set(reads={"a": None})))
    await talk.commit(
        talk.change(reads={"a": (2, 0)}, a="2"),
        talk.forge(results=read_other),
        *(talk.forge(results=each) for each in (crossed, absent, nothing)),
    )
    await talk.ask("other", "do", "get a", "range a z")


@conversation(
    "mvcclscc",
    "the version of a chaincode's definition is read like any other",
    "5.6",
    "3.7",
    rig="blocks",
)
async def definitions(talk: BlocksTalk) -> None:
    await talk.open()

    def reading(version: tuple[int, int] | None, key: str = "probe") -> bytes:
        return talk.forge(
            results=results(
                ("lscc", write_set(reads={key: version})), ("probe", write_set(writes={"a": "1"}))
            )
        )

    await talk.commit(
        reading((1, 0)), reading((1, 1)), reading(None), reading(None, "probe~collection")
    )
    await talk.commit(talk.deployment("probe", "2", verb="upgrade"))
    await talk.commit(
        talk.forge(version="2", results=results(("lscc", write_set(reads={"probe": (1, 0)}))))
    )
    await talk.commit(
        talk.forge(version="2", results=results(("lscc", write_set(reads={"probe": (3, 0)}))))
    )


@conversation(
    "mvccconfig",
    "the configuration is state of its own, with a version",
    "5.6",
    "5.3",
    rig="blocks",
)
async def configuration(talk: BlocksTalk) -> None:
    await talk.open()
    key = "CHANNEL_CONFIG_ENV_BYTES"
    for version in ((0, 0), (1, 0), None):
        read = results(("", write_set(reads={key: version})))
        await talk.commit(talk.forge(results=read))


@conversation("mvccids", "an id is used once: in a block, and for ever", "5.6", "5.4", rig="blocks")
async def duplicates(talk: BlocksTalk) -> None:
    await talk.open()
    committed, twice = talk.change(a="1"), talk.change(b="1")
    bad = talk.forge(endorsers=[])
    conflict = talk.change(reads={"a": (9, 9)}, c="1")
    same_id = {"nonce": b"one nonce"}
    await talk.commit(committed)
    await talk.commit(committed, twice, twice, bad, bad, conflict, conflict)
    await talk.commit(bad, conflict, twice)
    first = talk.effect(write_set(writes={"d": "1"}), **same_id)
    second = talk.effect(write_set(writes={"e": "1"}), **same_id)
    unendorsed = talk.effect(write_set(writes={"f": "1"}), endorsers=[], **same_id)
    await talk.commit(unendorsed, first, second)
    await talk.commit(second)
    await talk.probe("range a z")


@conversation(
    "mvccidbad",
    "an id that an invalid transaction used cannot be used again",
    "5.4",
    "5.6",
    rig="blocks",
)
async def used_by_invalid(talk: BlocksTalk) -> None:
    await talk.open()
    for index, changes in enumerate(
        ({"signature": b"none"}, {"endorsers": []}, {"version": "9"}, {"proposal_hash": b"x"})
    ):
        same_id = {"nonce": f"nonce {index}".encode()}
        await talk.commit(talk.forge(**same_id, **changes))
        await talk.commit(talk.forge(**same_id))


@conversation("mvccnoeffect", "a transaction that changes nothing is valid", "5.6", rig="blocks")
async def no_effect(talk: BlocksTalk) -> None:
    await talk.open()
    await talk.commit(talk.forge(results=b""), talk.effect(KVRWSet()), talk.change())
    await talk.commit(talk.change(reads={"a": None}))
    await talk.chain()
