"""Private data requests, as far as no collection is defined (wire §1.4)."""

from __future__ import annotations

from fabric_protos.common.common_pb2 import Envelope
from fabric_protos.common.configtx_pb2 import Config, ConfigEnvelope
from fabric_protos.common.configuration_pb2 import Capabilities, Capability
from fabric_protos.peer.chaincode_shim_pb2 import ChaincodeMessage as Msg
from fabric_protos.peer.chaincode_shim_pb2 import (
    DelState,
    GetQueryResult,
    GetState,
    GetStateByRange,
    GetStateMetadata,
    PurgePrivateState,
    PutState,
    PutStateMetadata,
    QueryMetadata,
    StateMetadata,
)
from google.protobuf.message import Message
from harness.differential.catalog import conversation
from harness.differential.talk import Talk
from treadle_fabric.channelconfig import compute_update, update_transaction
from treadle_fabric.wire import first_payload, serialize

Asked = tuple[tuple[int, Message], ...]


def requests(collection: str) -> Asked:
    """Every request that can name a collection."""
    where = {"key": "k", "collection": collection}
    entry = StateMetadata(metakey="m", value=b"v")
    page = serialize(QueryMetadata(pageSize=2))
    return (
        (Msg.GET_STATE, GetState(**where)),
        (Msg.PUT_STATE, PutState(**where, value=b"v")),
        (Msg.DEL_STATE, DelState(**where)),
        (Msg.GET_STATE_BY_RANGE, GetStateByRange(collection=collection)),
        (Msg.GET_STATE_BY_RANGE, GetStateByRange(collection=collection, metadata=page)),
        (Msg.GET_QUERY_RESULT, GetQueryResult(collection=collection, query="{}")),
        (Msg.GET_STATE_METADATA, GetStateMetadata(**where)),
        (Msg.PUT_STATE_METADATA, PutStateMetadata(**where, metadata=entry)),
        (Msg.GET_PRIVATE_DATA_HASH, GetState(**where)),
        (Msg.PURGE_PRIVATE_DATA, PurgePrivateState(**where)),
    )


@conversation("privateunknown", "no private data request finds an undefined collection", "1.4")
async def undefined(talk: Talk) -> None:
    chaincode = await talk.deployed()
    channel = await talk.channel()
    for collection in ("nowhere", "_implicit_org_Org1MSP", "with a blank"):
        proposal = talk.proposal(talk.name(), collection, channel=channel)
        async with chaincode.transaction(proposal) as running:
            for kind, payload in requests(collection):
                await running.ask(kind, payload)
            await running.complete()


@conversation("privateinit", "private data is out of reach in Init", "1.4")
async def in_init(talk: Talk) -> None:
    channel = await talk.channel()
    await talk.quietly_install("probe")
    chaincode = await talk.registered(talk.ccid())
    proposal = talk.deployment("probe", channel, version="1")
    async with chaincode.transaction(proposal, hint="protos.ChaincodeData") as init:
        for kind, payload in requests("nowhere"):
            await init.ask(kind, payload)
        await init.complete()


@conversation("nocollection", "requests for private data alone need a collection", "1.4")
async def without_collection(talk: Talk) -> None:
    chaincode = await talk.deployed()
    channel = await talk.channel()
    async with chaincode.transaction(talk.proposal(talk.name(), "go", channel=channel)) as running:
        await running.ask(Msg.GET_PRIVATE_DATA_HASH, GetState(key="k"))
        await running.ask(Msg.PURGE_PRIVATE_DATA, PurgePrivateState(key="k"))
        await running.complete()


@conversation("privateinvoked", "a refused private request leaves nothing in the results", "1.4")
async def leaves_nothing(talk: Talk) -> None:
    chaincode = await talk.deployed()
    channel = await talk.channel()
    proposal = talk.proposal(talk.name(), "go", channel=channel)
    async with chaincode.transaction(proposal) as running:
        await running.ask(Msg.PUT_STATE, PutState(key="k", value=b"1", collection="nowhere"))
        await running.ask(Msg.PUT_STATE, PutState(key="k", value=b"2"))
        await running.complete()
    await talk.commit(proposal, running.answer)
    await talk.block(channel, talk.height(channel) - 1)


@conversation("privatepurge", "with V2_5 a purge is refused for want of the collection", "1.4")
async def purge(talk: Talk) -> None:
    chaincode = await talk.deployed()
    channel = await talk.channel()
    await talk.commit_envelope(await capability_update(talk, channel, "V2_5"))
    proposal = talk.proposal(talk.name(), "go", channel=channel)
    async with chaincode.transaction(proposal) as running:
        for payload in (b"\xff", b"", b"\x0a\x01k", b"\x0a\x01k\x12\x07nowhere"):
            await running.ask(Msg.PURGE_PRIVATE_DATA, payload)
        await running.complete()


async def capability_update(talk: Talk, channel: str, capability: str) -> Envelope:
    """The CONFIG_UPDATE that makes *capability* the application's only one."""
    admin = talk.cast.admin
    block = await talk.links.committed(admin, channel, 0)
    config = ConfigEnvelope.FromString(first_payload(block).data).config
    changed = Config.FromString(config.SerializeToString())
    wanted = Capabilities(capabilities={capability: Capability()})
    changed.channel_group.groups["Application"].values["Capabilities"].value = serialize(wanted)
    update = compute_update(config, changed, channel_id=channel)
    return update_transaction(update=update, signers=[admin], submitter=admin)
