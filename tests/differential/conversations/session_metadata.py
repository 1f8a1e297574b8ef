"""Key-level metadata, below and above the capability that allows it (wire §1.4)."""

from __future__ import annotations

from fabric_protos.peer.chaincode_shim_pb2 import ChaincodeMessage as Msg
from fabric_protos.peer.chaincode_shim_pb2 import (
    DelState,
    GetState,
    GetStateMetadata,
    PutState,
    PutStateMetadata,
    StateMetadata,
)
from harness.differential.catalog import conversation
from harness.differential.chaincode import Chaincode, Transaction
from harness.differential.talk import Talk

FOUND = "protos.StateMetadataResult"


def written(key: str, metakey: str, value: bytes) -> PutStateMetadata:
    """The payload of a PUT_STATE_METADATA."""
    return PutStateMetadata(key=key, metadata=StateMetadata(metakey=metakey, value=value))


async def read(running: Transaction, *keys: str) -> None:
    """Ask for the metadata and the value of each key."""
    for key in keys:
        await running.ask(Msg.GET_STATE_METADATA, GetStateMetadata(key=key), hint=FOUND)
        await running.ask(Msg.GET_STATE, GetState(key=key))


async def committed(talk: Talk, chaincode: Chaincode, *writes: tuple[int, object]) -> None:
    """A transaction of *writes*, committed, with its block recorded."""
    channel = await talk.channel()
    proposal = talk.proposal(talk.name(), "write", channel=channel)
    async with chaincode.transaction(proposal) as running:
        for kind, payload in writes:
            await running.ask(kind, payload)  # type: ignore[arg-type]
        await running.complete()
    await talk.commit(proposal, running.answer)
    await talk.block(channel, talk.height(channel) - 1)


for _below in ("V1_1", "V1_2"):

    @conversation(
        f"metadata{_below.lower().replace('_', '')}",
        f"with {_below} there is no key-level metadata, readable payload or not",
        "1.4",
    )
    async def below(talk: Talk, capability: str = _below) -> None:
        channel = await talk.channel(capability=capability)
        chaincode = await talk.deployed()
        proposal = talk.proposal(talk.name(), "go", channel=channel)
        async with chaincode.transaction(proposal) as running:
            for kind in (Msg.GET_STATE_METADATA, Msg.PUT_STATE_METADATA):
                for payload in (b"", b"\xff", b"\x0a\x01k"):
                    await running.ask(kind, payload)
            await running.ask(Msg.PURGE_PRIVATE_DATA, b"\xff")
            await running.complete()


@conversation("metadatawrite", "metadata is committed with its key, one entry at a time", "1.4")
async def write(talk: Talk) -> None:
    channel = await talk.channel(capability="V1_3")
    chaincode = await talk.deployed()
    await committed(
        talk,
        chaincode,
        (Msg.PUT_STATE, PutState(key="a", value=b"1")),
        (Msg.PUT_STATE_METADATA, written("a", "one", b"x")),
        (Msg.PUT_STATE_METADATA, written("a", "two", b"y")),
        (Msg.PUT_STATE_METADATA, written("b", "no value", b"z")),
        (Msg.PUT_STATE_METADATA, written("c", "", b"")),
    )
    proposal = talk.proposal(talk.name(), "read", channel=channel)
    async with chaincode.transaction(proposal) as running:
        await read(running, "a", "b", "c", "", "never")
        await running.complete()


@conversation("metadatakeeps", "a new value keeps the metadata, a delete drops it", "1.4", "4.6")
async def keep(talk: Talk) -> None:
    channel = await talk.channel()
    chaincode = await talk.deployed()
    for key in "ab":
        await committed(
            talk,
            chaincode,
            (Msg.PUT_STATE, PutState(key=key, value=b"1")),
            (Msg.PUT_STATE_METADATA, written(key, "m", b"x")),
        )
    await committed(
        talk,
        chaincode,
        (Msg.PUT_STATE, PutState(key="a", value=b"2")),
        (Msg.DEL_STATE, DelState(key="b")),
    )
    await committed(talk, chaincode, (Msg.PUT_STATE_METADATA, written("a", "n", b"y")))
    await committed(talk, chaincode, (Msg.PUT_STATE, PutState(key="b", value=b"back")))
    proposal = talk.proposal(talk.name(), "read", channel=channel)
    async with chaincode.transaction(proposal) as running:
        await read(running, "a", "b")
        await running.complete()


@conversation("metadatainit", "metadata may be written in Init", "1.4")
async def in_init(talk: Talk) -> None:
    channel = await talk.channel()
    await talk.quietly_install("probe")
    chaincode = await talk.registered(talk.ccid())
    proposal = talk.deployment("probe", channel, version="1")
    async with chaincode.transaction(proposal, hint="protos.ChaincodeData") as init:
        await init.ask(Msg.PUT_STATE_METADATA, written("k", "m", b"v"))
        await init.ask(Msg.GET_STATE_METADATA, GetStateMetadata(key="k"), hint=FOUND)
        await init.complete()
    await talk.commit(proposal, init.answer, signer=talk.cast.admin)
    await talk.block(channel, 1)
