"""What a chaincode gets for its requests within a transaction (wire §1.4)."""

from __future__ import annotations

from fabric_protos.peer.chaincode_shim_pb2 import ChaincodeMessage as Msg
from fabric_protos.peer.chaincode_shim_pb2 import GetState, PutState
from harness.differential.catalog import conversation
from harness.differential.talk import Talk


@conversation("getmissing", "GET_STATE of a missing key is a RESPONSE without payload", "1.4")
async def missing_key(talk: Talk) -> None:
    chaincode = await talk.deployed("probe")
    channel = await talk.channel()
    async with chaincode.transaction(
        talk.proposal(talk.name(), "go", channel=channel)
    ) as transaction:
        await transaction.ask(Msg.GET_STATE, GetState(key="missing"))
        await transaction.complete(payload=b"done")


@conversation(
    "putget", "a write is not seen by reads of its own transaction, but by the next", "1.9"
)
async def own_writes(talk: Talk) -> None:
    chaincode = await talk.deployed("probe")
    channel = await talk.channel()
    first = talk.proposal(talk.name(), "first", channel=channel)
    async with chaincode.transaction(first) as transaction:
        await transaction.ask(Msg.PUT_STATE, PutState(key="a", value=b"1"))
        await transaction.ask(Msg.GET_STATE, GetState(key="a"))
        await transaction.complete()
    await talk.commit(first, transaction.answer)
    await talk.block(channel, talk.height(channel) - 1)
    second = talk.proposal(talk.name(), "second", channel=channel)
    async with chaincode.transaction(second) as transaction:
        await transaction.ask(Msg.GET_STATE, GetState(key="a"))
        await transaction.complete()
