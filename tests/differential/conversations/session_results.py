"""What a chaincode's final message means for the client (wire §1.6)."""

from __future__ import annotations

from fabric_protos.peer.chaincode_event_pb2 import ChaincodeEvent
from fabric_protos.peer.chaincode_shim_pb2 import ChaincodeMessage as Msg
from fabric_protos.peer.chaincode_shim_pb2 import GetState, PutState
from fabric_protos.peer.proposal_response_pb2 import Response
from harness.differential.catalog import conversation
from harness.differential.chaincode import Chaincode
from harness.differential.requests import ask_range
from harness.differential.talk import Talk
from treadle_fabric.wire import serialize

STATUSES = (0, 1, 199, 200, 201, 399, 400, 404, 499, 500, 501, 1000, -1, 2**31 - 1, -(2**31))


async def works(talk: Talk, chaincode: Chaincode, channel: str) -> None:
    """One more transaction, to show that the stream and the peer live."""
    proposal = talk.proposal(talk.name(), "one more", channel=channel)
    async with chaincode.transaction(proposal) as running:
        await running.ask(Msg.GET_STATE, GetState(key="k"))
        await running.complete()


@conversation("resultstatuses", "the status of a response decides over endorsement", "1.6", "4.4")
async def statuses(talk: Talk) -> None:
    chaincode = await talk.deployed()
    channel = await talk.channel()
    for status in STATUSES:
        proposal = talk.proposal(talk.name(), f"{status}", channel=channel)
        async with chaincode.transaction(proposal) as running:
            await running.ask(Msg.PUT_STATE, PutState(key="k", value=b"v"))
            await running.complete(status, f"message {status}", b"payload %d" % status)


@conversation("resulterrors", "an ERROR of the chaincode fails the proposal with its text", "1.6")
async def error_texts(talk: Talk) -> None:
    chaincode = await talk.deployed()
    channel = await talk.channel()
    texts = (b"boom", b"", b"two\nlines\n", "\N{SNOWMAN} %s %d".encode(), b"x" * 5000, b"\x00")
    for text in texts:
        async with chaincode.transaction(
            talk.proposal(talk.name(), "go", channel=channel)
        ) as running:
            await running.ask(Msg.PUT_STATE, PutState(key="k", value=b"v"))
            await running.say(Msg.ERROR, text)


@conversation("resultunreadable", "COMPLETED with a payload that is no Response fails", "1.6")
async def no_response(talk: Talk) -> None:
    chaincode = await talk.deployed()
    channel = await talk.channel()
    for payload in (b"\xff", b"\x1a\x05a", b"\x12\x01\xff", b"plain text", b""):
        proposal = talk.proposal(talk.name(), payload, channel=channel)
        async with chaincode.transaction(proposal) as running:
            await running.say(Msg.COMPLETED, payload)


@conversation("resultodd", "a Response is passed on with all that it holds", "1.6")
async def odd_responses(talk: Talk) -> None:
    chaincode = await talk.deployed()
    channel = await talk.channel()
    good = serialize(Response(status=200))
    for payload in (
        good + b"\x80\x01\x07",
        b"\x1a\x01p" + good,
        good + b"\x08\xc9\x01",
        b"\x08\x00",
    ):
        proposal = talk.proposal(talk.name(), payload, channel=channel)
        async with chaincode.transaction(proposal) as running:
            await running.say(Msg.COMPLETED, payload)


@conversation("resultlarge", "a response of a megabyte reaches the client whole", "1.6")
async def large_response(talk: Talk) -> None:
    chaincode = await talk.deployed()
    channel = await talk.channel()
    async with chaincode.transaction(talk.proposal(talk.name(), "go", channel=channel)) as running:
        await running.complete(message="m" * 10_000, payload=bytes(range(256)) * 4096)


@conversation("resultevents", "an event has the peer's word for chaincode and transaction", "1.6")
async def events(talk: Talk) -> None:
    chaincode = await talk.deployed()
    channel = await talk.channel()
    odd = ChaincodeEvent(event_name="named", payload=b"\x00\xff")
    liar = ChaincodeEvent(chaincode_id="other", tx_id="other", event_name="e", payload=b"p")
    for event in (liar, odd, ChaincodeEvent(), ChaincodeEvent(payload=b"nameless")):
        proposal = talk.proposal(talk.name(), event.event_name, channel=channel)
        async with chaincode.transaction(proposal) as running:
            await running.complete(event=event)
        await talk.commit(proposal, running.answer)
        await talk.block(channel, talk.height(channel) - 1)


@conversation("resultfailed", "events of failed transactions are dropped or kept by status", "1.6")
async def events_of_failures(talk: Talk) -> None:
    chaincode = await talk.deployed()
    channel = await talk.channel()
    event = ChaincodeEvent(event_name="e", payload=b"p")
    for status in (0, 399, 400, 500):
        proposal = talk.proposal(talk.name(), f"{status}", channel=channel)
        async with chaincode.transaction(proposal) as running:
            await running.complete(status, "m", b"p", event=event)
    async with chaincode.transaction(talk.proposal(talk.name(), "e", channel=channel)) as running:
        failed = running.message(Msg.ERROR, b"with event")
        failed.chaincode_event.CopyFrom(event)
        await chaincode.line.say(failed)


@conversation("resultinit", "the event of an Init is not the deployment's", "1.6", "3.6")
async def event_of_init(talk: Talk) -> None:
    channel = await talk.channel()
    await talk.quietly_install("probe")
    chaincode = await talk.registered(talk.ccid())
    proposal = talk.deployment("probe", channel, version="1")
    async with chaincode.transaction(proposal, hint="protos.ChaincodeData") as init:
        await init.complete(event=ChaincodeEvent(event_name="e", payload=b"p"))
    await talk.commit(proposal, init.answer, signer=talk.cast.admin)
    await talk.block(channel, 1)


@conversation("resultunknown", "unknown fields of an event are passed on", "1.6")
async def odd_events(talk: Talk) -> None:
    chaincode = await talk.deployed()
    channel = await talk.channel()
    event = ChaincodeEvent.FromString(b"\x1a\x01e\x80\x01\x07")
    async with chaincode.transaction(talk.proposal(talk.name(), "go", channel=channel)) as running:
        await running.complete(event=event)


@conversation("completedtwice", "the first final message counts", "1.6")
async def completed_twice(talk: Talk) -> None:
    chaincode = await talk.deployed()
    channel = await talk.channel()
    async with chaincode.transaction(talk.proposal(talk.name(), "1", channel=channel)) as running:
        await running.complete(payload=b"first")
        await running.complete(500, payload=b"second")
    async with chaincode.transaction(talk.proposal(talk.name(), "2", channel=channel)) as running:
        await running.fail("first")
        await running.complete(payload=b"second")
    async with chaincode.transaction(talk.proposal(talk.name(), "3", channel=channel)) as running:
        await running.complete(payload=b"first")
        await running.fail("second")
    await works(talk, chaincode, channel)


@conversation("finalunknown", "final messages of unknown transactions are passed over", "1.6")
async def final_of_unknown(talk: Talk) -> None:
    chaincode = await talk.deployed()
    channel = await talk.channel()
    async with chaincode.transaction(talk.proposal(talk.name(), "go", channel=channel)) as running:
        await running.say(Msg.COMPLETED, txid="deadbeef")
        await running.say(Msg.ERROR, b"nobody's", txid="deadbeef")
        await running.say(Msg.COMPLETED, channel_id="")
        await running.say(Msg.COMPLETED, channel_id="elsewhere")
        await running.say(Msg.ERROR, b"elsewhere", channel_id="elsewhere")
        await running.say(Msg.COMPLETED, txid="")
        await running.ask(Msg.GET_STATE, GetState(key="k"))
        await running.complete(payload=b"still here")


@conversation("finalfields", "other fields of a final message are passed over", "1.6")
async def final_fields(talk: Talk) -> None:
    chaincode = await talk.deployed()
    channel = await talk.channel()
    async with chaincode.transaction(talk.proposal(talk.name(), "go", channel=channel)) as running:
        done = running.message(Msg.COMPLETED, Response(status=200, payload=b"p"))
        done.timestamp.seconds = 7
        done.proposal.proposal_bytes = b"forged"
        await chaincode.line.say(done)


@conversation("openiterators", "a transaction may end with iterators open", "1.6", "1.5")
async def open_iterators(talk: Talk) -> None:
    chaincode = await talk.deployed()
    channel = await talk.channel()
    async with chaincode.transaction(talk.proposal(talk.name(), "go", channel=channel)) as running:
        for _ in range(3):
            await ask_range(running)
        await running.complete()
    await works(talk, chaincode, channel)
