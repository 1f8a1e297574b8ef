"""Endorsement policies of single keys (wire §5.5)."""

from __future__ import annotations

from fabric_protos.ledger.rwset.kvrwset.kv_rwset_pb2 import (
    KVMetadataEntry,
    KVMetadataWrite,
    KVRWSet,
    KVWrite,
)
from harness.differential.blocks_talk import BlocksTalk
from harness.differential.catalog import conversation
from treadle_fabric.policy import parse_policy
from treadle_fabric.wire import serialize

PARAMETER = "VALIDATION_PARAMETER"


def metadata(key: str, value: bytes | None, name: str = PARAMETER) -> KVRWSet:
    """A write of the metadata of *key*: one entry, or (None) no entry at all."""
    entries = [] if value is None else [KVMetadataEntry(name=name, value=value)]
    return KVRWSet(metadata_writes=[KVMetadataWrite(key=key, entries=entries)])


@conversation("keypolicy", "a key with a policy of its own needs just that", "5.5", rig="blocks")
async def own_policy(talk: BlocksTalk) -> None:
    first, second = talk.cast.peer, talk.cast.peer2
    await talk.open(policy="OR('Org1MSP.peer')")
    await talk.commit(talk.change(a="1", b="1"))
    await talk.commit(talk.change(policies={"a": "Org2MSP"}))
    await talk.commit(
        talk.change(first, a="2"),
        talk.change(second, a="2"),
        talk.change(first, second, a="2", b="2"),
        talk.change(second, a="2", b="2"),
        talk.change(second, b="3"),
        talk.change(first, b="3"),
        talk.change(second, a=""),
        talk.change(first, a="3"),
    )
    await talk.commit(talk.change(first, a="4"), talk.change(second, a="5"))
    await talk.probe("range a z", "get a")


@conversation(
    "keyblock",
    "a key whose policy an earlier transaction of the block changes is not written",
    "5.5",
    rig="blocks",
)
async def within_block(talk: BlocksTalk) -> None:
    first, second = talk.cast.peer, talk.cast.peer2
    await talk.open()
    await talk.commit(talk.change(a="1", b="1", c="1", d="1"))
    await talk.commit(
        talk.change(first, policies={"a": "Org2MSP"}),
        talk.change(first, a="2"),
        talk.change(second, a="2"),
        talk.change(first, second, a="2", b="2"),
        talk.change(first, b="2"),
        talk.change(first, policies={"a": "Org1MSP"}),
        talk.change(first, reads={"a": (2, 0)}),
        talk.change(first, reads={"c": (1, 0)}, policies={"c": "Org2MSP"}),
        talk.change(first, c="2"),
        talk.forge(endorsers=[], results=b""),
        talk.change(first, d="2", policies={"d": "Org2MSP"}),
        talk.change(first, d="3"),
    )
    await talk.commit(
        talk.change(first, a="3"), talk.change(first, c="3"), talk.change(first, d="3")
    )


@conversation(
    "keyinvalid", "a policy change that is not endorsed holds up nobody", "5.5", rig="blocks"
)
async def invalid_change(talk: BlocksTalk) -> None:
    first = talk.cast.peer
    await talk.open(policy="OR('Org1MSP.peer')")
    await talk.commit(talk.change(a="1"))
    await talk.commit(
        talk.change(talk.cast.peer2, policies={"a": "Org2MSP"}), talk.change(first, a="2")
    )
    await talk.commit(talk.change(first, a="3"))


@conversation("keychange", "changing a key's policy needs its present one", "5.5", rig="blocks")
async def change_of_policy(talk: BlocksTalk) -> None:
    first, second = talk.cast.peer, talk.cast.peer2
    await talk.open()
    await talk.commit(talk.change(a="1", b="1"))
    await talk.commit(talk.change(first, policies={"a": "Org2MSP"}))
    await talk.commit(talk.change(first, policies={"a": "Org1MSP"}))
    await talk.commit(talk.change(second, policies={"a": "Org1MSP"}))
    await talk.commit(talk.change(second, a="2"), talk.change(first, a="3"))


@conversation(
    "keymissing", "a policy for a key that is not there is dropped", "5.5", "5.6", rig="blocks"
)
async def missing(talk: BlocksTalk) -> None:
    first = talk.cast.peer
    await talk.open()
    await talk.commit(talk.change(first, policies={"new": "Org2MSP"}))
    await talk.commit(talk.change(first, new="1"))
    await talk.commit(talk.change(first, policies={"new": "Org2MSP"}))
    await talk.commit(talk.change(first, new="2"))
    await talk.probe("range a z")


@conversation("keydeleted", "with a key its policy goes", "5.5", "5.6", rig="blocks")
async def deleted(talk: BlocksTalk) -> None:
    first, second = talk.cast.peer, talk.cast.peer2
    await talk.open()
    await talk.commit(talk.change(first, a="1", policies={"a": "Org2MSP"}))
    await talk.commit(talk.change(first, a=""))
    await talk.commit(talk.change(second, a=""))
    await talk.commit(talk.change(first, a="2"))
    await talk.commit(talk.change(first, a="3"))


@conversation(
    "keyentries", "metadata of other names is kept, and is no policy", "5.5", "5.6", rig="blocks"
)
async def entries(talk: BlocksTalk) -> None:
    first, second = talk.cast.peer, talk.cast.peer2
    await talk.open()
    await talk.commit(talk.change(a="1"))
    await talk.commit(talk.effect(metadata("a", b"anything", name="other")))
    await talk.commit(talk.change(first, a="2"))
    await talk.commit(talk.change(first, policies={"a": "Org2MSP"}))
    await talk.commit(talk.effect(metadata("a", b"x", name="other"), first))
    await talk.commit(talk.effect(metadata("a", b"x", name="other"), second))
    await talk.commit(talk.change(first, a="3"))
    await talk.commit(talk.effect(metadata("a", None), first))
    await talk.commit(talk.change(first, a="4"))
    await talk.probe("get a", "range a z")


@conversation(
    "keyunreadable", "a key policy that cannot be read is no policy that holds", "5.5", rig="blocks"
)
async def unreadable(talk: BlocksTalk) -> None:
    await talk.open()
    await talk.commit(talk.change(a="1", b="1", c="1", d="1"))
    for key, value in (("a", b"\xff"), ("b", b""), ("c", b"plain text"), ("d", b"\x12\x00")):
        await talk.commit(talk.effect(metadata(key, value)))
    await talk.commit(*(talk.change(**{key: "2"}) for key in "abcd"))


@conversation("keyand", "a key policy may be any signature policy", "5.5", rig="blocks")
async def any_policy(talk: BlocksTalk) -> None:
    first, second = talk.cast.peer, talk.cast.peer2
    await talk.open()
    await talk.commit(talk.change(a="1"))
    policy = serialize(parse_policy("AND('Org1MSP.peer','Org2MSP.admin')"))
    await talk.commit(talk.effect(metadata("a", policy)))
    await talk.commit(
        talk.change(first, a="2"),
        talk.change(first, second, a="2"),
        talk.change(first, talk.cast.admin2, a="2"),
    )


@conversation(
    "keyboth", "value and policy of a key may change in one transaction", "5.5", "5.6", rig="blocks"
)
async def both(talk: BlocksTalk) -> None:
    first, second = talk.cast.peer, talk.cast.peer2
    await talk.open()
    await talk.commit(talk.change(first, a="1", policies={"a": "Org2MSP"}))
    await talk.commit(talk.change(first, a="2"), talk.change(second, a="3"))
    content = metadata("a", None)
    content.writes.append(KVWrite(key="a", value=b"4"))
    await talk.commit(talk.effect(content, second))
    await talk.commit(talk.change(first, a="5"))
    await talk.probe("get a", "range a z")
