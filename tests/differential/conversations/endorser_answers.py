"""What a client is answered when the chaincode is done (wire §4.3, §4.4, §4.5, §3.7)."""

from __future__ import annotations

from fabric_protos.peer.chaincode_event_pb2 import ChaincodeEvent
from fabric_protos.peer.chaincode_shim_pb2 import ChaincodeMessage as Msg
from fabric_protos.peer.chaincode_shim_pb2 import GetState, PutState
from harness.differential.asking import ask, deployment, initialising
from harness.differential.catalog import conversation
from harness.differential.talk import Talk


@conversation("statuses", "from 400 on nothing is endorsed, from 500 on it is told", "4.4")
async def statuses(talk: Talk) -> None:
    chaincode = await talk.deployed("probe")
    channel = await talk.channel()
    for status in (0, 1, 199, 200, 399, 400, 404, 499, 500, 501, 600, 2**31 - 1, -1):
        async with chaincode.transaction(talk.proposal(talk.name(), "go", channel=channel)) as call:
            await call.ask(Msg.GET_STATE, GetState(key="a"))
            await call.ask(Msg.PUT_STATE, PutState(key="b", value=b"1"))
            event = ChaincodeEvent(
                chaincode_id=talk.name(), tx_id=call.call.txid, event_name="e", payload=b"p"
            )
            await call.complete(status, f"status {status}", b"\x00payload", event)


@conversation("statusempty", "a response without message and payload stays so", "4.4", "4.5")
async def empty_responses(talk: Talk) -> None:
    chaincode = await talk.deployed("probe")
    channel = await talk.channel()
    for status in (0, 200, 400, 500):
        async with chaincode.transaction(talk.proposal(talk.name(), "go", channel=channel)) as call:
            await call.complete(status)


@conversation("answererror", "an ERROR is an answer of status 500 without payload", "4.3", "4.4")
async def errors(talk: Talk) -> None:
    chaincode = await talk.deployed("probe")
    channel = await talk.channel()
    for text in ("boom", "", "two\nlines", "ö"):
        async with chaincode.transaction(talk.proposal(talk.name(), "go", channel=channel)) as call:
            await call.ask(Msg.PUT_STATE, PutState(key="b", value=b"1"))
            await call.fail(text)


@conversation("answerlate", "a chaincode that does not answer in time is an error", "4.3", "4.4")
async def timeout(talk: Talk) -> None:
    chaincode = await talk.deployed("probe")
    channel = await talk.channel()
    async with chaincode.transaction(talk.proposal(talk.name(), "go", channel=channel)):
        pass


@conversation("answergone", "a chaincode that hangs up is an error", "4.3", "4.4", "1.11")
async def gone(talk: Talk) -> None:
    chaincode = await talk.deployed("probe")
    channel = await talk.channel()
    async with chaincode.transaction(talk.proposal(talk.name(), "go", channel=channel)):
        chaincode.line.hang_up()


@conversation("answerevent", "the event is in the endorsed payload as the chaincode sent it", "4.5")
async def events(talk: Talk) -> None:
    chaincode = await talk.deployed("probe")
    channel = await talk.channel()
    for given in (
        {"event_name": "e", "payload": b"p"},
        {"event_name": "e"},
        {},
        {"chaincode_id": "other", "tx_id": "other", "event_name": "e"},
    ):
        proposal = talk.proposal(talk.name(), "go", channel=channel)
        async with chaincode.transaction(proposal) as call:
            own = {"chaincode_id": talk.name(), "tx_id": call.call.txid}
            await call.complete(event=ChaincodeEvent(**(own | given)))
    await talk.commit(proposal, call.answer)
    await talk.block(channel, talk.height(channel) - 1)


@conversation("answertransient", "transient data is neither hashed nor committed", "4.5", "4.2")
async def transient(talk: Talk) -> None:
    chaincode = await talk.deployed("probe")
    channel = await talk.channel()
    secrets = {"b": b"secret", "a": b"\x00", "": b""}
    proposal = talk.proposal(talk.name(), "go", channel=channel, transient=secrets)
    async with chaincode.transaction(proposal) as call:
        await call.complete(payload=b"done")
    await talk.commit(proposal, call.answer)
    await talk.block(channel, talk.height(channel) - 1)


@conversation("answerempty", "what touches nothing has only the hidden read", "4.5", "3.7")
async def untouched(talk: Talk) -> None:
    chaincode = await talk.deployed("probe")
    channel = await talk.channel()
    for args in ((), ("",), ("go", b"\xff")):
        proposal = talk.proposal(talk.name(), *args, channel=channel)
        async with chaincode.transaction(proposal) as call:
            await call.complete()
        await talk.commit(proposal, call.answer)
        await talk.block(channel, talk.height(channel) - 1)


@conversation("answerversion", "the endorsed id has the definition's version", "4.5", "3.7")
async def version(talk: Talk) -> None:
    channel = await talk.channel()
    for verb, number in (("deploy", "1.0-a"), ("upgrade", "2_b+c")):
        await talk.quietly_install("probe", number)
        chaincode = await talk.registered(talk.ccid(version=number))
        proposal = deployment(talk, "probe", channel, verb=verb, version=number)
        async with initialising(talk, chaincode, proposal, channel) as init:
            await init.complete()
        async with chaincode.transaction(talk.proposal(talk.name(), "go", channel=channel)) as call:
            await call.complete()


@conversation("answerchannelless", "without a channel nothing is endorsed", "4.4", "3.7")
async def channelless(talk: Talk) -> None:
    await talk.deployed("probe")
    channel = await talk.channel()
    for name in (talk.name(), "nobody", "_lifecycle2"):
        await ask(talk, name, "go")
    await ask(talk, "qscc", "GetChainInfo", channel, hint="common.BlockchainInfo")
    await ask(talk, "qscc", "GetChainInfo", "nowhere")


@conversation("answersystem", "system chaincodes are endorsed on a channel", "4.4", "4.5")
async def system(talk: Talk) -> None:
    channel = await talk.channel()
    hint = "common.BlockchainInfo"
    await ask(talk, "qscc", "GetChainInfo", channel, channel=channel, hint=hint)
    await ask(talk, "qscc", "GetChainInfo", "nowhere", channel=channel)
    await ask(talk, "lscc", "getid", channel, "nobody", channel=channel)
    await ask(talk, "cscc", "GetConfigBlock", "nowhere", channel=channel)
    await ask(talk, "cscc", "Nothing", "x", channel=channel)


@conversation("undefined", "a chaincode must be defined on the channel", "3.7")
async def undefined(talk: Talk) -> None:
    await talk.deployed("probe")
    channel, other = await talk.channel(), await talk.channel("2")
    for where in (channel, other, ""):
        await ask(talk, "nobody", "go", channel=where)
    await ask(talk, talk.name(), "go", channel=other)
    for odd in ("a b", "ä", f"{talk.name()}:1", f"{talk.name()}/x", "vscc", "escc", "LSCC", "\n"):
        await ask(talk, odd, "go", channel=channel)
    await ask(talk, f"{talk.name()}~collection", "go", channel=channel)


@conversation("unconnected", "an undefined chaincode that is connected is not called", "3.7")
async def connected_only(talk: Talk) -> None:
    channel = await talk.channel()
    await talk.quietly_install("probe")
    chaincode = await talk.registered(talk.ccid())
    await ask(talk, talk.name(), "go", channel=channel)
    await chaincode.line.hear_nothing()


@conversation("twochannels", "one process serves the definitions of two channels", "3.7", "4.5")
async def two_channels(talk: Talk) -> None:
    chaincode = await talk.deployed("probe")
    first, second = await talk.channel(), await talk.channel("2")
    proposal = deployment(talk, "probe", second)
    async with initialising(talk, chaincode, proposal, second) as init:
        await init.ask(Msg.PUT_STATE, PutState(key="k", value=b"second"))
        await init.complete()
    for channel in (first, second):
        async with chaincode.transaction(talk.proposal(talk.name(), "go", channel=channel)) as call:
            await call.ask(Msg.GET_STATE, GetState(key="k"))
            await call.complete()


@conversation("hiddenread", "an upgrade makes older endorsements invalid", "3.7", "3.8")
async def overtaken(talk: Talk) -> None:
    old = await talk.deployed("probe")
    channel = await talk.channel()
    late = talk.proposal(talk.name(), "go", channel=channel)
    async with old.transaction(late) as call:
        await call.complete()
    await talk.quietly_install("probe", "2")
    new = await talk.registered(talk.ccid(version="2"))
    proposal = deployment(talk, "probe", channel, verb="upgrade", version="2")
    async with initialising(talk, new, proposal, channel) as init:
        await init.complete()
    await talk.commit(late, call.answer)
    await talk.block(channel, talk.height(channel) - 1)
