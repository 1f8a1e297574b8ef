"""What is left of a block in filtered form (wire §5.7)."""

from __future__ import annotations

from fabric_protos.peer.chaincode_event_pb2 import ChaincodeEvent
from harness.differential import ordering
from harness.differential.catalog import conversation
from harness.differential.ordering import seek
from harness.differential.talk import Talk
from harness.differential.watching import watching

_FORMS = ("blocks", "filtered", "private")


async def hear_forms(talk: Talk, channel: str, number: int) -> None:
    """Record a block in the peer's three forms."""
    for way in _FORMS:
        line = watching(talk, way)
        await line.say(seek(talk, channel, number, number))
        await line.hear()
        await line.hear()


async def invoked(talk: Talk, event: ChaincodeEvent | None) -> str:
    """Commit a transaction with *event*; the channel."""
    chaincode = await talk.deployed("probe")
    channel = await talk.channel()
    call = talk.proposal(talk.name(), "go", channel=channel)
    async with chaincode.transaction(call) as transaction:
        await transaction.complete(payload=b"secret answer", event=event)
    await talk.commit(call, transaction.answer)
    return channel


@conversation("dlvevent", "an event is delivered filtered without its payload", "5.7")
async def event(talk: Talk) -> None:
    told = ChaincodeEvent(event_name="paid", payload=b"secret")
    await hear_forms(talk, await invoked(talk, told), 2)


@conversation("dlvnoevent", "a transaction without event has no actions when filtered", "5.7")
async def no_event(talk: Talk) -> None:
    await hear_forms(talk, await invoked(talk, None), 2)


@conversation("dlvnamelessevent", "an event without a name is none", "5.7")
async def nameless_event(talk: Talk) -> None:
    await hear_forms(talk, await invoked(talk, ChaincodeEvent(payload=b"secret")), 2)


@conversation("dlvdeploy", "an instantiate is delivered filtered as any transaction", "5.7")
async def deployed(talk: Talk) -> None:
    await talk.deployed("probe")
    await hear_forms(talk, await talk.channel(), 1)


@conversation("dlvinvalid", "an invalid transaction keeps its event when filtered", "5.7")
async def invalid(talk: Talk) -> None:
    chaincode = await talk.deployed("probe")
    channel = await talk.channel()
    told = ChaincodeEvent(event_name="paid", payload=b"secret")
    call = talk.proposal(talk.name(), "go", channel=channel)
    async with chaincode.transaction(call) as transaction:
        await transaction.complete(event=told)
    await talk.commit(call, transaction.answer)
    await talk.commit(call, transaction.answer)  # a second time: a duplicate
    await hear_forms(talk, channel, 3)


@conversation("dlvnonsense", "nonsense is delivered filtered with its code", "5.7")
async def nonsense(talk: Talk) -> None:
    channel = await talk.channel()
    await talk.commit_envelope(ordering.transaction(talk, channel, "it", tx_id="x").build())
    await hear_forms(talk, channel, 1)


@conversation("dlvodd", "a transaction of another type is delivered filtered by its type", "5.7")
async def odd_type(talk: Talk) -> None:
    channel = await talk.channel()
    for kind in (0, 5):
        envelope = ordering.transaction(talk, channel, str(kind), header_type=kind, tx_id="x")
        await talk.commit_envelope(envelope.build())
        await hear_forms(talk, channel, talk.height(channel) - 1)


@conversation("dlvconfig", "a config block is delivered filtered with an empty transaction", "5.7")
async def config(talk: Talk) -> None:
    channel = await talk.channel()
    line = watching(talk, "filtered")
    await line.say(seek(talk, channel, 0, 0))
    await line.hear()
    await line.hear()
